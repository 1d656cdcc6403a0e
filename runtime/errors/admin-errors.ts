import type { ErrorRow } from './error-row.js';

/** The admin API. */
export const ADMIN_ERRORS = {
  SLUICE_ADMIN_EXPOSED: {
    cause:
      'The admin API is to listen on an address that other machines reach, and no token is configured for it.',
    remedy:
      'Set `admin.token` (a reference to a file or a variable keeps it out of the configuration), or leave `admin.host` at 127.0.0.1.',
  },
  SLUICE_ADMIN_TOKEN: {
    cause: 'A request for /v1 carried no token, or a wrong one.',
    remedy:
      'Send `Authorization: Bearer TOKEN`. The token is `admin.token` of the configuration, else the text of the file admin-token in the data folder.',
  },
  SLUICE_ADMIN_TOKEN_FILE: {
    cause: 'The file admin-token in the data folder could not be written or read, or holds no token.',
    remedy:
      'Check the rights of the data folder, delete the file so that a new one is made, or set `admin.token`.',
  },
  SLUICE_ADMIN_HOST: {
    cause: 'The Host header of a request names another machine, as after DNS rebinding.',
    remedy: 'Ask by address, by localhost, or by the name in `admin.host`.',
  },
  SLUICE_ADMIN_ORIGIN: {
    cause: 'The request comes from a page of another origin.',
    remedy: 'Use a client that is no web page of another server, such as curl.',
  },
  SLUICE_ADMIN_PATH: {
    cause: 'There is nothing under this path.',
    remedy: 'GET /openapi.json lists all paths.',
  },
  SLUICE_ADMIN_PLUGIN: {
    cause: 'There is no plugin of this name.',
    remedy: 'GET /v1/plugins lists those that there are.',
  },
  SLUICE_ADMIN_METHOD: {
    cause: 'What is under this path does not take this method.',
    remedy: 'The Allow header of the answer names those that it takes.',
  },
  SLUICE_ADMIN_TYPE: {
    cause: 'The body of a request is of a type that is not taken here.',
    remedy:
      'Send a plugin with `Content-Type: application/wasm`, a policy with `application/yaml` or `application/json`; other requests have no body.',
  },
  SLUICE_ADMIN_ENCODING: {
    cause: 'The body of a request is coded in a way that is not undone here, or not as its header says.',
    remedy: 'Send it as it is, or with `Content-Encoding: gzip`.',
  },
  SLUICE_ADMIN_REQUEST: {
    cause: 'A request is malformed, or its body ended early.',
    remedy: 'Read the message and send it again.',
  },
  SLUICE_ADMIN_UPLOADS_OFF: {
    cause: 'Uploads are off, as they are by default.',
    remedy: 'Set `admin: { uploads: true }` in the configuration, or copy the file into the plugin folder.',
  },
  SLUICE_ADMIN_NAME: {
    cause: 'The plugin that was uploaded has another name in its manifest than in the path.',
    remedy: 'Upload it under the name in its manifest.',
  },
  SLUICE_ADMIN_NO_PREVIOUS: {
    cause: 'No version before the present one of this plugin is kept.',
    remedy:
      'Upload the version that is wanted. One version back is kept, of plugins that carry their manifest.',
  },
  SLUICE_ADMIN_BUSY: {
    cause: 'Too many changes or event streams are under way at once.',
    remedy: 'Wait for those that are under way, or close event streams that nobody reads.',
  },
  SLUICE_ADMIN_CONNECTIONS: {
    cause:
      'More connections than the admin server takes (128, with those of HTTP sources that have no `port`) were to be open at once; the new one was closed.',
    remedy:
      'Give the HTTP source that has many clients a `port` of its own, or look for a client that opens connections and does not close them.',
  },
  SLUICE_ADMIN_STORE: {
    cause: 'A file of the plugin folder or the data folder could not be written.',
    remedy: 'Read the message; check the rights and the space of `plugins.dir` and `data.dir`.',
  },
} as const satisfies Readonly<Record<string, ErrorRow>>;
