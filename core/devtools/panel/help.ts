import { isErrorCode } from "../../errors.ts";

// In the package, because a site of the documentation may be published at any address.
const errorsPage = "docs/reference/errors.md";

/** The section of the documentation about an error code, or nothing if `code` is none. */
export function helpFor(code: string | undefined): string {
  return isErrorCode(code) ? `${errorsPage}#${code}` : "";
}
