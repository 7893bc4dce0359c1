import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Certificate } from "../server.ts";

const request =
  "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=localhost -keyout - -out -";

/** A certificate that nobody has signed, made by `openssl`. */
export async function selfSigned(): Promise<Certificate> {
  const { stdout } = await promisify(execFile)("openssl", request.split(" "));
  // Each is found in what holds both.
  return { cert: stdout, key: stdout };
}
