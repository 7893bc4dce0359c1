/** Where an invitation leads: the secret is in the fragment, which browsers send to nobody. */
export function invitationLink(base: string, secret: string): string {
  return `${base.replace(/\/$/, "")}/invite#${secret}`;
}
