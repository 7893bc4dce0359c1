import { beforeEach } from "vitest";

/** Skips every test of the file or `describe` that calls it. The closing table of `npm test` prints the reason. */
export function skipAll(reason: string | undefined): void {
  beforeEach(({ skip }) => skip(reason !== undefined, reason));
}
