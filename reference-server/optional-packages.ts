/** Imports the driver of a postgres:// store. Rejects with what to install if it is missing. */
export async function importPostgres(): Promise<typeof import("pg")["default"]> {
  const { default: pg } = await importOptional<typeof import("pg")>("pg", "A postgres:// store");
  return pg;
}

/** Imports the client of a redis:// cluster. Rejects with what to install if it is missing. */
export function importRedis(): Promise<typeof import("@redis/client")> {
  return importOptional("@redis/client", "A redis:// cluster");
}

// Bundlers leave this import alone, because the name is no literal: a program that does not use the package can be
// bundled without it.
async function importOptional<Module>(name: string, feature: string): Promise<Module> {
  try {
    return await import(/* webpackIgnore: true */ /* turbopackIgnore: true */ /* @vite-ignore */ name);
  } catch (cause) {
    throw new Error(`${feature} needs the package ${name}: run npm install ${name}.`, { cause });
  }
}
