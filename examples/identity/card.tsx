import type { BonevalueError } from "bonevalue";
import type { ReactElement, ReactNode } from "react";

/** A view about a friend, or about `"Us"`: the other devices of this user. */
export interface ViewProps {
  readonly alias: string;
  readonly close: () => void;
}

interface Props {
  readonly title: string;
  /** The name of the button that closes the view. */
  readonly back: string;
  readonly close: () => void;
  /** The buttons before it. */
  readonly actions?: ReactNode;
  readonly children?: ReactNode;
}

/** The frame of a view: its title, its content, and its buttons. */
export function Card({ title, back, close, actions, children }: Props): ReactElement {
  return (
    <section className="card">
      <h2>{title}</h2>
      {children}
      <p className="actions">
        {actions}
        <button type="button" className={actions ? "quiet" : undefined} onClick={close}>
          {back}
        </button>
      </p>
    </section>
  );
}

/** Why a request has failed. */
export function Problem({ error }: { error: BonevalueError | undefined }): ReactElement | undefined {
  return (
    error && (
      <p className="problem" role="alert">
        {error.message}
      </p>
    )
  );
}
