import { BonevalueError } from "./errors.ts";

/** The error for an environment that lacks a part of the platform, as jsdom and React Native do. */
export function missingFeature(feature: string, polyfill: string, cause?: unknown): BonevalueError {
  const message = `This environment lacks a feature: ${feature}. Load a polyfill, such as ${polyfill}.`;
  return new BonevalueError("unsupported", message, { cause });
}

/** The error for a discovery that lacks a feature. */
export function missingInDiscovery(feature: string): BonevalueError {
  const message = `This discovery has no ${feature}: see the version and the store of its server.`;
  return new BonevalueError("unsupported", message);
}

/** Returns the global class `name`. Throws `unsupported` if there is none. */
export function requireGlobal<Name extends "ReadableStream" | "TextEncoder">(
  name: Name,
  polyfill: string,
): (typeof globalThis)[Name] {
  const Class: (typeof globalThis)[Name] | undefined = globalThis[name];
  if (Class) return Class;
  throw missingFeature(name, polyfill);
}
