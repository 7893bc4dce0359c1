// User agents contain the names of other browsers, so the order matters.
const browsers: readonly (readonly [name: string, version: RegExp])[] = [
  ["Edge", /Edg\/(\d+)/],
  ["Opera", /OPR\/(\d+)/],
  ["Firefox", /Firefox\/(\d+)/],
  ["Chromium", /Chrom(?:e|ium)\/(\d+)/],
  ["Safari", /Version\/(\d+).*Safari/],
];

/** The name and major version of a browser, such as "Firefox 153". */
export function browserName(userAgent: string): string {
  for (const [name, version] of browsers) {
    const found = version.exec(userAgent)?.[1];
    if (found !== undefined) return `${name} ${found}`;
  }
  return "a browser";
}
