import { machine } from "./machine.ts";
import { publish } from "./report/publish.ts";
import { readServerResults, writeResults } from "./report/results.ts";
import { isMet, serverHead, serverRow } from "./report/server-table.ts";
import { serverMetrics } from "./server/metrics/all.ts";

/**
 * `node bench/server.ts [NAME…]`: measures the server, or only these metrics, and prints a table. The results are kept in
 * results/server.json, beside those of metrics that were measured before.
 */
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !serverMetrics.some((metric) => metric.name === name));
if (unknown.length > 0)
  throw new Error(`No such metric: ${unknown}. There are ${serverMetrics.map(({ name }) => name)}.`);

const found = { ...readServerResults()?.metrics };
console.log(serverHead);
for (const metric of serverMetrics) {
  if (wanted.length > 0 && !wanted.includes(metric.name)) continue;
  const numbers = await metric.measure();
  found[metric.name] = { ...numbers, met: isMet(metric, numbers) };
  console.log(serverRow(metric, numbers));
}
writeResults("server", { machine: machine(), metrics: found });
publish();
