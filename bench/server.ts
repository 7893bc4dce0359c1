import { machine } from "./machine.ts";
import { publish } from "./report/publish.ts";
import { readServerResults, writeResults } from "./report/results.ts";
import { isMet, serverHead, serverRow } from "./report/server-table.ts";
import { figures } from "./server/figures/all.ts";

/**
 * `node bench/server.ts [NAME…]`: measures the server, or only these figures, and prints a table. The results are kept in
 * results/server.json, beside those of figures that were measured before.
 */
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !figures.some((figure) => figure.name === name));
if (unknown.length > 0) throw new Error(`No such figure: ${unknown}. There are ${figures.map(({ name }) => name)}.`);

const found = { ...readServerResults()?.figures };
console.log(serverHead);
for (const figure of figures) {
  if (wanted.length > 0 && !wanted.includes(figure.name)) continue;
  const numbers = await figure.measure();
  found[figure.name] = { ...numbers, met: isMet(figure, numbers) };
  console.log(serverRow(figure, numbers));
}
writeResults("server", { machine: machine(), figures: found });
publish();
