import { spawn } from "node:child_process";
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { root } from "./entries.ts";

/** Runs `npm test` beside as many busy loops as there are cores, plus one. */

// It yields now and then, and so notices the end of this process.
const loop = `
  process.on("disconnect", () => process.exit());
  (function work() {
    for (const end = Date.now() + 100; Date.now() < end;);
    setImmediate(work);
  })();
`;
const loops = availableParallelism() + 1;
for (let index = 0; index < loops; index++) {
  spawn(process.execPath, ["-e", loop], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
}
console.log(`${loops} busy loops are running.`);
const suite = spawn(process.execPath, [`${root}tools/test.ts`], { cwd: root, stdio: "inherit" });
const [code] = await once(suite, "exit");
process.exit(code ?? 1);
