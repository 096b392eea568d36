import pg from 'pg';

/** Conditions of a list, each with its parameter. A condition whose value is undefined or null is left out. */
export class Where {
  readonly values: unknown[] = [];
  readonly #conditions: string[] = [];

  and(value: unknown, condition: (placeholder: string) => string): this {
    if (value === undefined || value === null) return this;
    this.values.push(value);
    this.#conditions.push(condition(`$${this.values.length}`));
    return this;
  }

  /**
   * A part of a text, through a trigram index. The pattern goes in as a quoted literal: with a parameter the planner
   * knows nothing of it and walks the primary key (seconds on a large table).
   */
  contains(expression: string, part: string | undefined): this {
    if (part !== undefined) this.#conditions.push(`${expression} LIKE ${containing(part)}`);
    return this;
  }

  /** With the words WHERE, or nothing. */
  toString(): string {
    return this.#conditions.length === 0 ? '' : `WHERE ${this.#conditions.join(' AND ')}`;
  }
}

/** A LIKE pattern as an SQL literal: the part in lower case, its own % and _ taken as they are. */
export function containing(part: string): string {
  return pg.escapeLiteral(`%${escapeLike(part.toLowerCase())}%`);
}

export function beginningWith(part: string): string {
  return pg.escapeLiteral(`${escapeLike(part.toLowerCase())}%`);
}

/** PostgreSQL's LIKE has the backslash as its escape. NUL can't be in its text at all. */
const escapeLike = (text: string): string => text.replaceAll('\u0000', '').replace(/[\\%_]/g, '\\$&');
