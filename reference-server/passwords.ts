import { hash as argon2, verify as argon2Verify, parseOptions } from "@node-rs/argon2";
import { closeCode } from "../core/protocol/close-code.ts";
import { maxPasswordBytes, passwordProblem } from "../core/protocol/password.ts";
import { Refusal } from "./refusal.ts";
import { newSecret } from "./secrets.ts";

// OWASP's recommendation for argon2id: 19 MiB, two passes, one lane. One hash takes 12 to 16 ms.
const policy = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
// A third would not be faster and would occupy libuv's thread pool.
const maxConcurrent = 2;

/** Hashes and verifies passwords, two at a time; the others wait. */
export interface Passwords {
  hash(password: string): Promise<string>;
  /** Takes the same time without a hash, so that an unknown user cannot be told from a wrong password. */
  verify(hash: string | undefined, password: string): Promise<boolean>;
}

/**
 * Creates a password hasher. At most `queue` calls wait; further calls reject with `rate-limited`. `onDuration` receives the
 * seconds that each call took.
 */
export async function createPasswords(
  queue: number,
  onDuration: (seconds: number) => void = () => {},
): Promise<Passwords> {
  const acquire = createSemaphore(queue);
  const runTimed: typeof acquire = async (work) => {
    const began = performance.now();
    const result = await acquire(work);
    onDuration((performance.now() - began) / 1_000);
    return result;
  };
  const dummyHash = await argon2(newSecret(), policy);
  return {
    hash: (password) => runTimed(() => argon2(password, policy)),
    async verify(hash, password) {
      if (Buffer.byteLength(password) > maxPasswordBytes) return false;
      const right = await runTimed(() => argon2Verify(hash ?? dummyHash, password));
      return right && hash !== undefined;
    },
  };
}

/** Throws `invalid-request` for a new password that is too short or too long. */
export function checkPassword(password: string): void {
  const problem = passwordProblem(password);
  if (problem !== undefined) throw new Refusal("invalid-request", problem);
}

/** Whether a hash is weaker than the present policy. */
export function isOutdated(hash: string): boolean {
  const { memoryCost, timeCost } = parseOptions(hash);
  return memoryCost < policy.memoryCost || timeCost < policy.timeCost;
}

function createSemaphore(queue: number): <Result>(work: () => Promise<Result>) => Promise<Result> {
  const waiting: (() => void)[] = [];
  let running = 0;

  return async (work) => {
    if (running >= maxConcurrent) {
      if (waiting.length >= queue)
        throw new Refusal("rate-limited", "Too many users are signing in: try again soon.", {
          close: closeCode.overloaded,
          after: 5_000,
        });
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else {
      running++;
    }
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running--;
    }
  };
}
