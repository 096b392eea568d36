/** One thing found, with what tells it from others of its kind. */
export interface SearchHit {
  readonly kind: 'person' | 'card' | 'device' | 'certificate';
  readonly id: string;
  readonly title: string;
  readonly subtitle: string;
  readonly state: string | null;
}

export interface SearchIndex {
  /** Of the kinds given, up to `limitEach` of each kind; the best first within a kind. */
  find(text: string, kinds: readonly SearchHit['kind'][], limitEach: number): Promise<SearchHit[]>;
}
