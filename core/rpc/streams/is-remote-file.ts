import type { RemoteFile } from "./remote-file.ts";

// Shared by the copies of this library in one page.
const brand = Symbol.for("bonevalue.RemoteFile");

/** The prototype of every {@link RemoteFile}. With `Object.prototype` a file would be sent field by field. */
export const remoteFilePrototype: object = Object.freeze(Object.create(Object.prototype, { [brand]: { value: true } }));

/** Whether `value` is a {@link RemoteFile} of any copy of this library. */
export function isRemoteFile(value: unknown): value is RemoteFile {
  return brand in Object(value);
}
