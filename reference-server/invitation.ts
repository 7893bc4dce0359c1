/** Where an invitation leads: the secret is in the fragment, which browsers send to nobody. */
export function invitationLink(base: string, secret: string): string {
  return `${base.replace(/\/$/, "")}/invite#${secret}`;
}

/** The URL itself, given as the one where browsers find the server. Throws for what is no http(s) URL. */
export function publicUrl(url: string): string {
  if (/^https?:$/.test(URL.parse(url)?.protocol ?? "")) return url;
  throw new Error(
    `Browsers cannot find this server at "${url}": \`publicUrl\` (--url) is a URL such as https://bonevalue.example.org.`,
  );
}
