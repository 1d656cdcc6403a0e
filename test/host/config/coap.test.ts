import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readConfig } from '../../../host/config/load.js';

function read(coap: Record<string, unknown>) {
  return readConfig(JSON.stringify({ sources: { field: { coap } } }), '/c/sluice.yaml', { environment: {} });
}

test('CoAP listens on this machine alone, on port 5683, unless it is told otherwise', async () => {
  const { config } = await read({});
  assert.deepEqual(config.sources.get('field')?.coap, { host: '127.0.0.1', port: 5683 });
});

test('an address that is neither loopback nor private is refused without an explicit setting, as there is no DTLS', async () => {
  for (const host of ['0.0.0.0', '::', '203.0.113.7', 'plant.example'])
    await assert.rejects(read({ host }), /no DTLS/, host);
  for (const host of ['10.1.2.3', '172.31.0.1', '192.168.0.7', 'fd00::1', '169.254.1.1']) {
    const { warnings } = await read({ host });
    assert.match(warnings.map(({ text }) => text).join(), /has no DTLS/, host);
  }
  const { config } = await read({ host: '0.0.0.0', withoutDtls: true });
  assert.equal(config.sources.get('field')?.coap?.host, '0.0.0.0');
});
