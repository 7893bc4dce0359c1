import { parseArgs } from "node:util";
import { findLossyNetworkProblem } from "../tools/lossy-network.ts";
import { evaluate } from "./goals.ts";
import { machine } from "./machine.ts";
import { openNetworkEnvironment } from "./network/environment.ts";
import { badCable, networkParts } from "./parts/network.ts";
import { publish } from "./report/publish.ts";
import { writeResults } from "./report/results.ts";
import { tableOf } from "./report/table.ts";
import { runRounds } from "./rounds.ts";

/**
 * `node bench/network.ts [NAME…] [--rounds N] [--latency MS] [--loss FRACTION] [--publish]`: measures all parts or these. Like
 * `main.ts`, it publishes results of a complete run, and of single parts only with `--publish`. Those of other cables are not
 * published.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "5" },
    latency: { type: "string" },
    loss: { type: "string" },
    publish: { type: "boolean" },
  },
});

const trouble = findLossyNetworkProblem();
if (trouble) throw new Error(trouble);
const cable = {
  latency: Number(values.latency ?? badCable.latency),
  loss: Number(values.loss ?? badCable.loss),
  seed: 1,
};
const isPublished =
  values.latency === undefined && values.loss === undefined && (positionals.length === 0 || values.publish === true);
const environment = await openNetworkEnvironment(cable);
try {
  const extent = { rounds: Number(values.rounds), time: Number.POSITIVE_INFINITY };
  console.log(`${cable.latency} ms each way, ${cable.loss * 100} % of packets lost\n`);
  for (const part of networkParts) {
    if (positionals.length > 0 && !positionals.includes(part.name)) continue;
    const found = evaluate(part, await runRounds(part, environment, extent));
    for (const finding of found) console.log(`${tableOf(finding)}\n`);
    if (isPublished) {
      writeResults(part.name, { ...machine(), chromium: environment.version, found });
      publish();
    }
  }
} finally {
  await environment.close();
}
