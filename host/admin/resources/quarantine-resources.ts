import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { faultOf, SluiceError } from '../../../runtime/index.js';
import type { Choice, Quarantined } from '../../store/quarantine.js';
import type { Ward } from '../../store/ward.js';
import type { Audit } from '../events/audit.js';
import { QuarantinedView, ReplayTallyView, ReplayView } from '../schemas/schemas-quarantine.js';
import { NO_CONTENT, type Operation, type Resource } from '../server/resource.js';

const FILTERS = ['plugin', 'source', 'route', 'code'] as const;
/** Frames of one answer, unless `limit` says less; their bytes are in it. */
const MOST_LISTED = 1000;

const CHOICE: Readonly<Record<string, string>> = {
  plugin: 'Only frames that this plugin failed on.',
  source: 'Only frames of this source.',
  route: 'Only frames of this route.',
  code: 'Only frames that failed with this code.',
  after: 'Only frames with a higher id: the next page.',
  limit: `Most frames, 1 to ${MOST_LISTED}.`,
};

export interface QuarantineParts {
  readonly ward: Ward;
  readonly audit: Audit;
}

/** What is under /v1/quarantine. */
export function quarantineResources({ ward, audit }: QuarantineParts): Resource[] {
  const audited: Audited = async (action, frames, { ip }, work) => {
    const { plugin } = frames;
    const what = { who: ip, action: `quarantine.${action}`, frames };
    const entry = plugin === undefined ? what : { ...what, plugin };
    try {
      const result = await work();
      await audit.record({ ...entry, outcome: 'ok', result });
      return result;
    } catch (thrown) {
      const { code, message } = faultOf(thrown);
      await audit.record({ ...entry, outcome: code, detail: message });
      throw thrown;
    }
  };
  return [
    {
      path: '/v1/quarantine',
      policed: true,
      operations: {
        GET: {
          summary: 'Frames that plugins failed on, oldest first.',
          query: CHOICE,
          answers: { 200: Type.Object({ total: Type.Integer(), frames: Type.Array(QuarantinedView) }) },
          run: async request => {
            const { choice, limit } = asked(request);
            return { total: ward.count, frames: (await ward.list(choice, limit)).map(viewOf) };
          },
        },
        DELETE: {
          summary: 'Throws frames away; at least one filter has to say which.',
          query: CHOICE,
          answers: { 200: Type.Object({ removed: Type.Integer() }) },
          run: request => {
            const { choice } = asked(request);
            if (Object.keys(choice).every(key => key === 'after'))
              throw new SluiceError('SLUICE_ADMIN_REQUEST', `say which frames go, by ${FILTERS.join(', ')}`);
            return audited('delete', choice, request, async () => ({
              removed: await ward.remove(choice),
            }));
          },
        },
      },
    },
    {
      path: '/v1/quarantine/replay',
      policed: true,
      operations: {
        POST: {
          summary: 'Sends all frames of a choice through their routes again, oldest first.',
          query: CHOICE,
          answers: { 200: ReplayTallyView },
          run: request => {
            const { choice, limit } = asked(request);
            return audited('replay', choice, request, () => ward.replayAll(choice, limit));
          },
        },
      },
    },
    {
      path: '/v1/quarantine/:id',
      policed: true,
      operations: {
        GET: {
          summary: 'One frame.',
          answers: { 200: QuarantinedView },
          run: async request => viewOf(await ward.get(idIn(request))),
        },
        DELETE: {
          summary: 'Throws one frame away.',
          answers: { 204: NO_CONTENT },
          run: async (request, reply) => {
            const id = idIn(request);
            await audited('delete', { id }, request, async () => {
              await ward.get(id);
              return { removed: await ward.remove({ id }) };
            });
            return reply.code(204).send();
          },
        },
      },
    },
    { path: '/v1/quarantine/:id/replay', policed: true, operations: { POST: replayOne(ward, audited) } },
  ];
}

type Audited = <T>(
  action: string,
  frames: Choice,
  request: FastifyRequest,
  work: () => Promise<T>,
) => Promise<T>;

function replayOne(ward: Ward, audited: Audited): Operation {
  return {
    summary: 'Sends the frame through its route again, with the plugins of today.',
    answers: { 200: ReplayView, 202: ReplayView },
    run: async (request, reply) => {
      const id = idIn(request);
      const replayed = await audited('replay', { id }, request, () => ward.replay(id));
      const { outcome } = replayed;
      const told = outcome === 'refused' ? { plugin: replayed.plugin, ...replayed.fault } : {};
      return reply.code(outcome === 'pending' ? 202 : 200).send({ id, outcome, ...told });
    },
  };
}

function idIn(request: FastifyRequest): number {
  const { id } = request.params as { id: string };
  if (/^[1-9]\d{0,14}$/.test(id)) return Number(id);
  throw new SluiceError('SLUICE_QUARANTINE_ID', 'the id in the path is not that of a frame in quarantine');
}

/** @throws SluiceError SLUICE_ADMIN_REQUEST: a parameter that is not known, or not a number where one has to be */
function asked(request: FastifyRequest): { choice: Choice; limit: number } {
  const query = request.query as Readonly<Record<string, string | string[]>>;
  const choice: { -readonly [key in keyof Choice]: Choice[key] } = {};
  let limit = MOST_LISTED;
  for (const [key, value] of Object.entries(query)) {
    if (typeof value !== 'string' || !Object.hasOwn(CHOICE, key))
      throw new SluiceError(
        'SLUICE_ADMIN_REQUEST',
        `${key}: known are ${Object.keys(CHOICE).join(', ')}, each once`,
      );
    const filter = FILTERS.find(known => known === key);
    if (filter !== undefined) choice[filter] = value;
    else if (key === 'after') choice.after = whole(key, value, Number.MAX_SAFE_INTEGER);
    else limit = whole(key, value, MOST_LISTED);
  }
  return { choice, limit };
}

function whole(key: string, value: string, most: number): number {
  const number = Number(value);
  if (/^\d{1,15}$/.test(value) && number <= most && (key !== 'limit' || number > 0)) return number;
  throw new SluiceError('SLUICE_ADMIN_REQUEST', `${key} is not a whole number up to ${most}`);
}

function viewOf({ frame, fault, trace, ...rest }: Quarantined): Type.Static<typeof QuarantinedView> {
  const { payload, timestamp, properties, source, topic } = frame;
  return {
    ...rest,
    code: fault.code,
    message: fault.message,
    ...(trace === undefined ? {} : { trace }),
    source,
    topic,
    timestamp: String(timestamp),
    payload: Buffer.from(payload).toString('hex'),
    properties: properties.map(([key, value]) => [key, value]),
  };
}
