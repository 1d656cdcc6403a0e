import type { ErrorRow } from './error-row.js';

/** Where messages go. */
export const SINK_ERRORS = {
  SLUICE_SINK_DISCONNECTED: {
    cause: 'The connection to a northbound system is closed or could not be opened.',
    remedy:
      'Check address, credentials and state of the broker; the gateway keeps trying. Meanwhile messages go to the spool or, where a sink has none, wait in its window.',
  },
  SLUICE_SINK_PROTOCOL: {
    cause: 'A northbound system sent bytes that break the protocol.',
    remedy: 'Check that the address is that of an MQTT broker of the configured version.',
  },
  SLUICE_SINK_REFUSED: {
    cause: 'A northbound system refused the connection or a message.',
    remedy: 'Read the reason code: credentials, topic rights and the packet size are the usual ones.',
  },
  SLUICE_SINK_HANGUP: {
    cause:
      'The broker closed the connection several times right after one message, while no other was on its way. The message was left out.',
    remedy:
      'Look into the log of the broker: rights on the topic and the size of the message are the usual reasons.',
  },
  SLUICE_SINK_UNCONFIRMED: {
    cause:
      'The broker is connected and confirms nothing of what it was sent, or not the oldest of it, for 30 s, or 120 s where it has not read all of that either. The connection was closed and is made anew, and what is not confirmed goes out again; where that does not help, the next connection has twice the time.',
    remedy:
      'Nothing is lost: meanwhile messages go to the spool or, where a sink has none, wait. Look into the log of the broker, at its disk and its load, and at what stands between.',
  },
  SLUICE_SINK_TOPIC: {
    cause:
      'A plugin returned a topic that cannot be published to (empty, too long, a wildcard, a NUL, or not UTF-8).',
    remedy:
      'Correct the plugin behind the source that the id of the message names (GATEWAY/SOURCE/...): a topic to publish to has no + or # in it.',
  },
  SLUICE_SINK_TOO_LARGE: {
    cause: 'A message is larger than the broker or the window of the sink allows.',
    remedy: "Make the message smaller, or raise the broker's maximum packet size.",
  },
  SLUICE_SINK_VERSION: {
    cause:
      'The broker does not speak MQTT 5.0. The sink goes on with MQTT 3.1.1, without content type and properties.',
    remedy:
      'Nothing is lost. Set `version: 4` for the sink to make it the rule, or use a broker that speaks MQTT 5.0.',
  },
  SLUICE_SINK_PROPERTY: {
    cause:
      'A plugin returned a content type or property that MQTT 5.0 cannot carry (too long, a control character, or not UTF-8).',
    remedy: 'Correct the plugin: one such string would make the broker close the connection.',
  },
  SLUICE_SINK_ABANDONED: {
    cause: 'The gateway was stopped while the northbound system was away.',
    remedy:
      'What was not confirmed is counted here. Start the gateway again: sources that keep their data send it again.',
  },
} as const satisfies Readonly<Record<string, ErrorRow>>;
