import type { ErrorRow } from './error-row.js';

/** Where frames come from, and the servers that take them. */
export const SOURCE_ERRORS = {
  SLUICE_LISTEN_IN_USE: {
    cause: 'Another program already listens on this address and port.',
    remedy: 'Stop what listens there (`ss -tulpn` names it), or choose another port in the configuration.',
  },
  SLUICE_LISTEN_FAILED: {
    cause: 'The address could not be listened on.',
    remedy:
      'Check that the address belongs to this machine and that the port may be used: below 1024 a service needs the right to it (CAP_NET_BIND_SERVICE).',
  },
  SLUICE_SOURCE_DISCONNECTED: {
    cause:
      'The connection to a device is closed or could not be opened. Of a source that listens: who sent went away in the middle of a frame or of a request.',
    remedy:
      'Check power, cable and address of the device (or that the broker runs, and that no other client has the same `clientId`); the gateway keeps trying, with back-off. A sender has to connect and to send again.',
  },
  SLUICE_SOURCE_TIMEOUT: {
    cause:
      'A device did not answer in time. Of a source that listens: who connected did not say who it is, or did not send the rest of a frame or of a request, in time.',
    remedy:
      'Check the unit id and the load of the device, or raise `timeout` of the source. Of a sender: check that it sends each frame or request without a pause.',
  },
  SLUICE_SOURCE_PROTOCOL: {
    cause: 'A device sent bytes that break the protocol.',
    remedy:
      'Check that both ends speak the same protocol on this port, with or without TLS. A connection is closed for it, and may be opened anew; over CoAP and serial lines it is left out.',
  },
  SLUICE_SOURCE_BACKPRESSURE: {
    cause:
      'A poll was skipped, or a device that sends was told to come again, because the route behind it is full.',
    remedy: 'Look for the sink that is slow or away, or poll less often.',
  },
  SLUICE_ROUTE_FULL: {
    cause: 'One of several routes of a polled source was full, so a frame went to the other routes only.',
    remedy: 'Look at that route: its plugin hangs or is slow, or its sink is away. The log names it.',
  },
  SLUICE_ROUTE_UNSERVED: {
    cause:
      'A plugin of the route is not in the folder, is disabled or was refused, and a frame could not wait for it on the disk, or is not to (`whenOpen: refuse`).',
    remedy:
      'GET /v1/routes names the plugin and the reason. Put its file into the folder, or enable it. What its sender was not told of is in quarantine: POST /v1/quarantine/replay.',
  },
  SLUICE_SOURCE_OVERRUN: {
    cause:
      'A poll was skipped because the one before it is still under way, or what is observed changed again before all its blocks were read.',
    remedy:
      'Poll less often (`every`), ask for fewer registers or paths, or raise `inFlight` if the device allows it. With SLUICE_SOURCE_TIMEOUT beside it the device, or one on the same line, does not answer at all.',
  },
  SLUICE_SOURCE_LATE: {
    cause: "The gateway's own loop was late: a whole period of a poll went by before it was looked at.",
    remedy:
      'Poll less often (`every`), ask fewer devices or for fewer registers, or give the gateway more processor time.',
  },
  SLUICE_SOURCE_REFUSED: {
    cause:
      'A southbound system refused the connection, a topic filter that was subscribed to, or over CoAP a path that was read or observed.',
    remedy:
      'Read the reason code: credentials and topic rights are the usual ones; over CoAP 4.04 says that there is no such path, a reset that nobody serves there.',
  },
  SLUICE_SOURCE_VERSION: {
    cause:
      'The broker does not speak MQTT 5.0. The source goes on with MQTT 3.1.1, which carries no content type and no user properties.',
    remedy:
      'Set `version: 4` for the source to make it the rule, or use a broker that speaks MQTT 5.0. With 3.1.1 a `clientId` is needed for a session that outlives a connection.',
  },
  SLUICE_SOURCE_SESSION: {
    cause:
      'The broker keeps no session for the source: what was published while the connection was away does not come.',
    remedy:
      'Set a `clientId` for the source, and let the broker keep its sessions (persistence, session expiry).',
  },
  SLUICE_SOURCE_QOS: {
    cause: 'A source gets another quality of service than the one that was asked for.',
    remedy: 'Change the limits of the broker, or ask for less: `qos`.',
  },
  SLUICE_BROKER_REFUSED: {
    cause:
      'The embedded broker turned a client away or cut it off: connections, password, TLS, a client id that is the gateway\u2019s own, what it sent, or how slowly; or it did not subscribe a client to all, or keep all, that it asked for.',
    remedy:
      'Look at what the message says of the client. Ceilings and users stand under `broker`; the broker speaks MQTT 3.1.1 only.',
  },
  SLUICE_SOURCE_STALE: {
    cause: 'A source has brought no data for longer than its `staleAfter`, whatever its connection says.',
    remedy:
      'Look at the devices, the network between, and (MQTT) who publishes. If such pauses are usual, raise `staleAfter` of the source, or set it to `never`.',
  },
  SLUICE_SOURCE_UNUSED: {
    cause: 'No route reads a source, so it is not started: nothing is asked of it, and nothing taken.',
    remedy:
      'Name it in `from` of a route, put a plugin into the folder whose `accepts` fits its kind alone, or take it out of the configuration.',
  },
  SLUICE_SOURCE_UNROUTED: {
    cause:
      'No route of the source has a filter for the topic of a frame. The frame was left out, and acknowledged.',
    remedy:
      'Give a route a `filter` for the topic (`filter: "#"` takes what is left), or have the source subscribe to less.',
  },
  SLUICE_SOURCE_MESSAGE: {
    cause: 'A message has a topic or a property that is not text: empty, not UTF-8, a NUL, or a wildcard.',
    remedy: 'Correct the publisher. The message was acknowledged and left out.',
  },
  SLUICE_SOURCE_REQUEST: {
    cause:
      'A device asked for something that is not taken: over Modbus another function than 5, 6, 15 and 16, a quantity, address or unit out of range; over HTTP or CoAP another path, method, coding or body. It was answered with the reason.',
    remedy:
      'The message says which. Correct the device; what Modbus devices may write stands in `units`, `coils` and `holding` of `listen`.',
  },
  SLUICE_SOURCE_UNCONFIRMED: {
    cause:
      'A write of a device was taken, and the device did not hear in time that it is safe. It comes again as a rule, so the same may arrive twice.',
    remedy:
      'Look for the sink that is slow or away, or raise `timeout` of the source and the time that the device waits.',
  },
  SLUICE_SOURCE_IDLE: {
    cause: 'The connection of a device was closed because it had been silent for long.',
    remedy:
      'None is needed if the device connects again by itself. Else raise `idle` (Modbus) or `keepAlive` (tunnel) of the source.',
  },
  SLUICE_SOURCE_CONNECTIONS: {
    cause:
      'More devices wanted to be connected at once than the source takes, in all or from one address; or, over CoAP, to observe.',
    remedy:
      'Raise what the message names (`connections`, `connectionsPerPeer`; over CoAP `observers`, `peerShare`), or look for a device that opens connections and does not close them.',
  },
  SLUICE_SOURCE_CHECKSUM: {
    cause: 'A frame came with a check (CRC-32C) that does not fit its bytes.',
    remedy:
      'The connection is opened anew and the frame comes again. If it happens often, look at what lies between: cables, radio, a program that changes bytes.',
  },
  SLUICE_SOURCE_GAP: {
    cause: 'A client left out numbers of its sequence: it sent out of order, or gave up frames of its own.',
    remedy:
      'Where it sent out of order, correct the client. Where it gave frames up its own memory was full: give it more, or look why it was cut off for so long.',
  },
  SLUICE_SOURCE_REPEATED: {
    cause: 'A client or device sent again what had been taken already; it was left out.',
    remedy: 'None is needed: it did not hear the answer to the first time.',
  },
  SLUICE_SOURCE_REPLACED: {
    cause: 'A client connected again under the same client id, so its older connection was closed.',
    remedy:
      'None is needed after a lost connection. If it goes on, two clients use the same id: give each its own.',
  },
  SLUICE_SOURCE_TOKEN: {
    cause: 'Who wanted to send to a source did not show the right token.',
    remedy: 'Give the client the `token` of the source in the configuration.',
  },
  SLUICE_SOURCE_UNASKED: {
    cause:
      'A CoAP datagram came that answers nothing that was asked: from another address, under another token or message id. It was left out.',
    remedy:
      'One now and then is a late answer. If it goes on, look who sends from that address: the message says it. Somebody may try to pass for the device.',
  },
  SLUICE_SOURCE_RATE: {
    cause: 'Somebody sent faster than `rate` of the source allows, or all together faster than `totalRate`.',
    remedy:
      'The message names which of the two, and what becomes of what is too much: it is told to come again, or waits. Raise it, or have less sent.',
  },
  SLUICE_SOURCE_AMPLIFICATION: {
    cause:
      'An answer over UDP was not sent: it would have been more than three times what came from an address that has not shown that it is there, and the sender of a datagram can be made up.',
    remedy:
      'None as a rule. A device that reads large resources has to ask for small blocks, to send back the Echo option that it got with 4.01 (RFC 9175), or to acknowledge two messages first.',
  },
  SLUICE_SOURCE_UNACKNOWLEDGED: {
    cause:
      'An answer or notification over CoAP was given up: nobody acknowledged it, or too many waited for that already.',
    remedy:
      'Look whether the device or observer is still there; it is no observer any more and has to ask again.',
  },
  SLUICE_SOURCE_MEMORY: {
    cause:
      'What has not come whole or waits for its answer, over all connections of a source, needed more than its `memory`; over CoAP the oldest makes room.',
    remedy:
      'Raise what the message names: `memory`, over CoAP also `bodies` or `peerShare`. Or allow fewer connections or smaller frames.',
  },
  SLUICE_SOURCE_TLS: {
    cause: 'A TLS handshake with a client failed.',
    remedy:
      'Read the reason: a client that speaks no TLS, does not trust our certificate, or has none of an authority that `tls.ca` names.',
  },
  SLUICE_TLS_CERTIFICATE: {
    cause:
      'The certificate files of a source cannot be used: not there, no PEM, or they do not fit each other.',
    remedy:
      'Correct the files that the message names. They are looked at again every few seconds; until then the certificate before serves on.',
  },
} as const satisfies Readonly<Record<string, ErrorRow>>;
