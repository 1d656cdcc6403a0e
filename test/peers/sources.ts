/** MQTT source on a mosquitto, quick to come back; its client id is in the broker's log. */
export function floor(port: number, options: Record<string, unknown> = {}) {
  return {
    mqtt: {
      url: `mqtt://127.0.0.1:${port}`,
      version: 5,
      topics: ['in/#'],
      clientId: 'floor',
      reconnect: { min: '20ms', max: '50ms' },
      ...options,
    },
  };
}
