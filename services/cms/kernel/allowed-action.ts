/** An act that the console may offer on an object, computed from its transition table and the caller's permissions. */
export interface AllowedAction<Name extends string = string> {
  readonly action: Name;
  readonly allowed: boolean;
  /** For a person: why not, when not. */
  readonly disabledReason: string | null;
}
