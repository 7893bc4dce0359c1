/** What a link carries in its fragment, which no server sees. */
export interface Invitation {
  readonly from: string;
  readonly token: string;
}

/** The link for another person's page. */
export function linkOf(invitation: Invitation, page: string): string {
  return `${page}#${new URLSearchParams({ ...invitation })}`;
}

/** The invitation in a page's fragment, if there is one. */
export function invitationIn(hash: string): Invitation | undefined {
  const fields = new URLSearchParams(hash.slice(1));
  const from = fields.get("from");
  const token = fields.get("token");
  return from && token ? { from, token } : undefined;
}
