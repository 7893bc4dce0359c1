import type { ProfileReader } from "../peer-list.ts";

/** Reads profiles as they are. */
export const plainProfiles: ProfileReader = {
  encode: ({ profile = {} }) => JSON.stringify(profile),
  validate: (_, text) => JSON.parse(text),
};
