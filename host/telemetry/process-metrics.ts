import { Counter, Gauge, type Registry } from 'prom-client';

/** `sluice_process_*`: read when someone scrapes, nothing runs in between. */
export function addProcessMetrics(registry: Registry): void {
  const registers = [registry];
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({
      name: `sluice_process_${name}`,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  };
  gauge('resident_memory_bytes', 'Memory of the process in RAM.', () => process.memoryUsage.rss());
  gauge('heap_used_bytes', 'Used heap of the main thread.', () => process.memoryUsage().heapUsed);
  gauge(
    'array_buffers_bytes',
    'ArrayBuffers and shared memory of the main thread.',
    () => process.memoryUsage().arrayBuffers,
  );
  gauge(
    'start_time_seconds',
    'Start of the process, seconds since 1970.',
    () => performance.timeOrigin / 1000,
  );
  let last = performance.eventLoopUtilization();
  gauge('event_loop_utilization_ratio', 'Busy part of the main loop since the last scrape, 0 to 1.', () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, last);
    last = now;
    return utilization;
  });
  new Counter({
    name: 'sluice_process_cpu_seconds_total',
    help: 'Processor time of all threads.',
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
}
