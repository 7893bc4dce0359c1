/** What the contracts promise and a later issue brings: exports, and members as `Type.member`. A test holds it exact. */
export const later: { readonly api: readonly string[]; readonly server: readonly string[] } = {
  api: [],
  server: [],
};
