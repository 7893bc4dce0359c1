import { parseArgs } from "node:util";
import { findLossyNetworkProblem } from "../tools/lossy-network.ts";
import { machine } from "./machine.ts";
import { openNetworkStage } from "./network/stage.ts";
import { badCable, network } from "./parts/network.ts";
import { publish } from "./report/publish.ts";
import { writeResults } from "./report/results.ts";
import { tableOf } from "./report/table.ts";
import { runRounds } from "./rounds.ts";
import { judge } from "./verdict.ts";

/** `node bench/network.ts [--rounds N] [--latency MS] [--loss SHARE]`: another cable is measured, but not published. */
const { values } = parseArgs({
  options: { rounds: { type: "string", default: "5" }, latency: { type: "string" }, loss: { type: "string" } },
});

const trouble = findLossyNetworkProblem();
if (trouble) throw new Error(trouble);
const cable = {
  latency: Number(values.latency ?? badCable.latency),
  loss: Number(values.loss ?? badCable.loss),
  seed: 1,
};
const stage = await openNetworkStage(cable);
try {
  const extent = { rounds: Number(values.rounds), time: Number.POSITIVE_INFINITY };
  const found = judge(network, await runRounds(network, stage, extent));
  console.log(`${cable.latency} ms each way, ${cable.loss * 100} % of packets lost\n`);
  for (const finding of found) console.log(`${tableOf(finding)}\n`);
  if (values.latency === undefined && values.loss === undefined) {
    writeResults(network.name, { ...machine(), chromium: stage.version, found });
    publish();
  }
} finally {
  await stage.close();
}
