import { Problem } from '../schemas/schemas.js';
import { NO_CONTENT, type Operation, type Resource } from './resource.js';

/** The OpenAPI 3.1 document of these resources; the schemas are those that the answers are typed with. */
export function openApi(version: string, resources: readonly Resource[]): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const { path, operations } of resources) {
    const item: Record<string, object> = {};
    for (const [method, operation] of Object.entries(operations))
      item[method.toLowerCase()] = describe(path, operation);
    paths[path.replaceAll(/:(\w+)/g, '{$1}')] = item;
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Sluice admin API', version },
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      schemas: { Problem },
    },
  };
}

function describe(path: string, operation: Operation): object {
  const { summary, answers, open, body, query = {}, headers = {} } = operation;
  const inPath = [...path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const optional = (place: 'query' | 'header', named: Readonly<Record<string, string>>) =>
    Object.entries(named).map(([name, description]) => ({
      name,
      in: place,
      description,
      schema: { type: 'string' },
    }));
  const parameters = [...inPath, ...optional('query', query), ...optional('header', headers)];
  const responses: Record<string, object> = {};
  for (const [status, answer] of Object.entries(answers)) {
    const body = typeof answer === 'string' ? { [answer]: {} } : { 'application/json': { schema: answer } };
    responses[status] = { description: summary, ...(answer === NO_CONTENT ? {} : { content: body }) };
  }
  const problem = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };
  responses.default = { description: 'A coded problem.', content: problem };
  return {
    summary,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(open === true ? { security: [] } : {}),
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: Object.fromEntries(body.map(type => [type, {}])) } }),
    responses,
  };
}
