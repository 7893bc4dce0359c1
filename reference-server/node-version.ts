/** What is wrong with this version of Node, in a sentence; undefined where nothing is. It may be asked of any Node. */
export function nodeProblem(version: string = process.versions.node): string | undefined {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > 22 || (major === 22 && minor >= 13)) return undefined;
  return `bonevalue-server needs Node 22.13 or newer; this is v${version}.`;
}
