/** The content of an invitation link's fragment, which browsers do not send to servers. */
export interface Invitation {
  readonly from: string;
  readonly token: string;
}

/** The URL of an invitation to `page`. */
export function linkOf(invitation: Invitation, page: string): string {
  return `${page}#${new URLSearchParams({ ...invitation })}`;
}

/** Parses the invitation in a page's fragment. */
export function invitationIn(hash: string): Invitation | undefined {
  const fields = new URLSearchParams(hash.slice(1));
  const from = fields.get("from");
  const token = fields.get("token");
  return from && token ? { from, token } : undefined;
}
