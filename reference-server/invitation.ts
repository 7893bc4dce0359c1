/** Returns an invitation link. The secret is in the fragment, which browsers do not send to servers. */
export function invitationLink(base: string, secret: string): string {
  return `${base.replace(/\/+$/, "")}/invite#${secret}`;
}

/** Whether browsers open this as a page: an http(s) URL. */
export function isWebUrl(url: string): boolean {
  return /^https?:$/.test(URL.parse(url)?.protocol ?? "");
}

/** Whether a path can be appended to this http(s) URL, so that browsers open it. */
export function isBaseUrl(url: string): boolean {
  return isWebUrl(url) && !/[?#\s]/.test(url);
}

/** Returns the public URL unchanged; throws if it cannot be the base of links. */
export function publicUrl(url: string): string {
  if (isBaseUrl(url)) return url;
  throw new Error(
    `Browsers cannot open links below "${url}": set \`publicUrl\` (--url) to a URL such as https://bonevalue.example.org, without a query or fragment.`,
  );
}
