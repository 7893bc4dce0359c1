import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Certificate } from "../server.ts";

const request =
  "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=localhost -keyout - -out -";

/** Creates a self-signed certificate with `openssl`. */
export async function selfSigned(): Promise<Certificate> {
  const { stdout } = await promisify(execFile)("openssl", request.split(" "));
  // Node finds each part in the text of both.
  return { cert: stdout, key: stdout };
}
