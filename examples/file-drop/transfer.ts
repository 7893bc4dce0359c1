import { defineModule, file, type Module, type RemoteFile } from "bonevalue";
import * as v from "valibot";

/** Receives a file, and answers with its SHA-256. */
export const Drop: Module<v.GenericSchema<Blob | RemoteFile, RemoteFile>, v.GenericSchema<string>> = defineModule(
  "File.Drop",
  { request: file(), response: v.string() },
);

/** The SHA-256 of a blob, in hexadecimal. */
export async function sha256(blob: Blob): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", await blob.arrayBuffer());
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Formats a number of bytes. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** Formats the rate of `bytes` since `begun`, a time of `performance.now()`. */
export function speed(bytes: number, begun: number): string {
  return `${megabytes((bytes / (performance.now() - begun)) * 1_000)}/s`;
}

/** A file of 20 MB, for a first try. */
export function sampleFile(): File {
  const chunk = new TextEncoder().encode("bone\n".repeat(20_000));
  return new File(
    Array.from({ length: 200 }, () => chunk),
    "sample.txt",
    { type: "text/plain" },
  );
}
