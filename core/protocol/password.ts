/** The minimum length of a password, in Unicode code points. */
export const minPasswordLength = 8;

/** The largest password, in bytes of UTF-8. */
export const maxPasswordBytes = 1_024;

/** Returns why this cannot become the password of an account, as a sentence for its user; undefined if it can. */
export function passwordProblem(password: string): string | undefined {
  if ([...password].length < minPasswordLength) return `A password has at least ${minPasswordLength} characters.`;
  if (new TextEncoder().encode(password).length > maxPasswordBytes)
    return `A password has at most ${maxPasswordBytes} bytes.`;
  return undefined;
}
