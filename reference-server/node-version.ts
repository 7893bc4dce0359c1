/** Returns the reason why this version of Node is not supported, or undefined. This file runs on every version. */
export function nodeProblem(version: string = process.versions.node): string | undefined {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > 22 || (major === 22 && minor >= 13)) return undefined;
  return `bonevalue-server needs Node 22.13 or newer; this is v${version}.`;
}
