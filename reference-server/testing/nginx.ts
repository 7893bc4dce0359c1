import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { until } from "../../tools/eventually.ts";
import { endProgram, freePort } from "./process.ts";

/** Starts nginx with these lines in a server block, until the test ends; resolves to its http:// URL. */
export async function startNginx(server: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "bonevalue-nginx-"));
  const port = await freePort();
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${folder};`);
  await writeFile(
    join(folder, "nginx.conf"),
    `daemon off; master_process off; pid ${folder}/pid; error_log stderr notice;
    events {}
    http { access_log off; ${temporary.join(" ")}
      map $http_upgrade $connection_upgrade { default upgrade; '' close; }
      server { listen 127.0.0.1:${port}; ${server} } }`,
  );
  const child = spawn("nginx", ["-c", join(folder, "nginx.conf")], { stdio: "ignore" });
  onTestFinished(async () => {
    await endProgram(child);
    await rm(folder, { recursive: true });
  });
  const url = `http://127.0.0.1:${port}`;
  await until(() => fetch(url).then(Boolean, () => false));
  return url;
}
