import { unwatchFile, watchFile } from "node:fs";
import type { Log } from "../log.ts";
import type { BonevalueServer, Certificate } from "../server.ts";

// Polled: a watch on a file does not notice that another file, or a link, replaces it.
const pollEvery = 1_000;

/**
 * Replaces the certificate of a server on SIGHUP and when one of its files changes; returns the undo. While certificate and
 * key do not match, as in the middle of a renewal, the old certificate stays.
 */
export function reloadCertificate(
  server: BonevalueServer,
  files: readonly string[],
  read: () => Certificate | undefined,
  log: Log,
): () => void {
  function reload(): void {
    try {
      const certificate = read();
      if (certificate !== undefined) server.replaceCertificate(certificate);
      log.info({}, certificate ? "reloaded the certificate" : "SIGHUP: no certificate to reload");
    } catch (error) {
      log.error({ error }, "the certificate cannot be reloaded; the old one stays in use");
    }
  }

  function onChange(now: { mtimeMs: number }, before: { mtimeMs: number }): void {
    if (now.mtimeMs !== before.mtimeMs) reload();
  }

  process.on("SIGHUP", reload);
  for (const file of files) watchFile(file, { interval: pollEvery, persistent: false }, onChange);
  return () => {
    process.off("SIGHUP", reload);
    for (const file of files) unwatchFile(file, onChange);
  };
}
