/** Returns an invitation link. The secret is in the fragment, which browsers do not send to servers. */
export function invitationLink(base: string, secret: string): string {
  return `${base.replace(/\/$/, "")}/invite#${secret}`;
}

/** Whether browsers open this as a page: an http(s) URL. */
export function isWebUrl(url: string): boolean {
  return /^https?:$/.test(URL.parse(url)?.protocol ?? "");
}

/** Returns the public URL unchanged; throws if it is not an http(s) URL. */
export function publicUrl(url: string): string {
  if (isWebUrl(url)) return url;
  throw new Error(
    `Browsers cannot open "${url}": set \`publicUrl\` (--url) to a URL such as https://bonevalue.example.org.`,
  );
}
