import type { Kysely, Transaction } from "kysely";
import type { Tables } from "./schema.ts";

/**
 * Runs a step as one transaction. If it conflicts with another connection (unique constraint, deadlock), it runs once more
 * and sees the changes of the other.
 */
export async function inTransaction<Result>(
  db: Kysely<Tables>,
  run: (step: Transaction<Tables>) => Promise<Result>,
): Promise<Result> {
  const attempt = () => db.transaction().execute(run);
  try {
    return await attempt();
  } catch (error) {
    if (!isConflict(error)) throw error;
    return attempt();
  }
}

// PostgreSQL's unique_violation, serialization_failure and deadlock_detected.
const conflicts: ReadonlySet<unknown> = new Set(["23505", "40001", "40P01"]);

function isConflict(error: unknown): boolean {
  return error instanceof Error && "code" in error && conflicts.has(error.code);
}
