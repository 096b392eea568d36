import { type Static, type TObject, type TObjectOptions, type TSchema, type TUnsafe, Type } from 'typebox';

/** The words of the contract. A named component is written once with `$id`, and used everywhere by {@link ref}. */
export function ref<T extends TSchema>(component: T): TUnsafe<Static<T>> {
  const { $id } = component as { $id?: string };
  if ($id === undefined) throw new Error('only a schema with $id can be referred to');
  return Type.Unsafe<Static<T>>({ $ref: `${$id}#` });
}

/** OpenAPI 3.1 (JSON Schema 2020-12) says null by a type, and by anyOf where there is a reference. */
export function nullable<T extends TSchema>(schema: T): TUnsafe<Static<T> | null> {
  const { type } = schema as { type?: unknown };
  if (typeof type === 'string') {
    const values = (schema as { enum?: unknown[] }).enum;
    return Type.Unsafe<Static<T> | null>({
      ...schema,
      type: [type, 'null'],
      ...(values === undefined ? {} : { enum: [...values, null] }),
    });
  }
  return Type.Unsafe<Static<T> | null>({ anyOf: [schema, { type: 'null' }] });
}

export function oneOf<const Values extends readonly string[]>(
  values: Values,
  more: object = {},
): TUnsafe<Values[number]> {
  return Type.Unsafe<Values[number]>({ type: 'string', enum: [...values], ...more });
}

/** An identifier, branded at the edge: `id<CardId>()`. */
export function id<Brand extends string>(more: object = {}): TUnsafe<Brand> {
  return Type.Unsafe<Brand>({ type: 'string', format: 'uuid', maxLength: 36, ...more });
}

export const time = (more: object = {}) => Type.String({ format: 'date-time', maxLength: 40, ...more });

/**
 * Inside a character class of a pattern: what could repaint a terminal or hide what stands in a name (controls C0 and
 * C1, line separators, bidirectional overrides and isolates, the byte order mark), and private characters, which no
 * certificate can carry.
 */
export const UNSHOWABLE =
  '\\u0000-\\u001f\\u007f-\\u009f\\u2028-\\u202e\\u2066-\\u2069\\ue000-\\uf8ff\\ufeff\\ufffe\\uffff';

/** One line of text that a person wrote: bounded, with something in it, and all of it to be seen. */
export const line = (maxLength: number, more: object = {}) =>
  Type.String({ minLength: 1, maxLength, pattern: `^(?=[^${UNSHOWABLE}]*$).*\\S.*$`, ...more });

/** Standard base64 of up to `maxBytes` bytes. */
export const base64 = (maxBytes: number, more: object = {}) =>
  Type.String({
    minLength: 4,
    maxLength: 4 * Math.ceil(maxBytes / 3),
    pattern: '^[A-Za-z0-9+/]+={0,2}$',
    contentEncoding: 'base64',
    ...more,
  });

/** What is not named is refused (architecture, rule 9). */
export const closed = <T extends Record<string, TSchema>>(properties: T, more: TObjectOptions = {}): TObject<T> =>
  Type.Object(properties, { additionalProperties: false, ...more });

/** A page of named components. Its example is the item's own. */
export const listOf = <T extends TSchema>(item: T, more: TObjectOptions = {}) => {
  const { examples = [] } = item as { examples?: unknown[] };
  return Type.Object(
    { items: Type.Array(ref(item)), next: nullable(Type.String({ description: 'Send it as `cursor`.' })) },
    { examples: [{ items: examples, next: null }], ...more },
  );
};

/** Each list takes these beside its own filters. */
export const paging = {
  cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 120, description: '`next` of the page before.' })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
};

export const reason = line(500, { description: 'Why. Kept in the audit log.', examples: ['Caller forgot the PIN'] });
export const ticket = line(100, { description: 'Reference in a ticket system.', examples: ['INC-20417'] });

export const PersonRef = Type.Object(
  { id: Type.String(), displayName: Type.String(), userPrincipalName: Type.String() },
  {
    $id: 'PersonRef',
    examples: [
      {
        id: '0199f2a0-1111-7000-8000-000000000001',
        displayName: 'Mary Major',
        userPrincipalName: 'mary.major@example.com',
      },
    ],
  },
);
export const DeviceRef = Type.Object(
  { id: Type.String(), hostName: Type.String() },
  { $id: 'DeviceRef', examples: [{ id: '0199f2a0-2222-7000-8000-000000000002', hostName: 'lap-0421' }] },
);
export const CardRef = Type.Object(
  { id: Type.String(), serial: Type.String() },
  { $id: 'CardRef', examples: [{ id: '0199f2a0-3333-7000-8000-000000000003', serial: 'CW-7K3M-92QF' }] },
);
export const OperatorRef = Type.Object(
  { id: Type.String(), name: Type.String() },
  { $id: 'OperatorRef', examples: [{ id: '0199f2a0-4444-7000-8000-000000000004', name: 'helpdesk' }] },
);
export const AllowedAction = Type.Object(
  {
    action: Type.String(),
    allowed: Type.Boolean(),
    disabledReason: nullable(Type.String()),
  },
  { $id: 'AllowedAction', examples: [{ action: 'unblock', allowed: true, disabledReason: null }] },
);

export const FieldProblem = Type.Object(
  {
    pointer: Type.String({ description: 'RFC 6901; begins with /query or /params for those.' }),
    code: Type.String(),
    detail: Type.String(),
  },
  {
    $id: 'FieldProblem',
    examples: [{ pointer: '/displayName', code: 'field-invalid', detail: 'must NOT have fewer than 1 characters' }],
  },
);

export const Problem = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    code: Type.String({ description: 'Stable: programs may depend on it.' }),
    requestId: Type.String(),
    errors: Type.Optional(Type.Array(ref(FieldProblem))),
    data: Type.Optional(Type.Object({}, { additionalProperties: true })),
  },
  {
    $id: 'Problem',
    description: 'RFC 9457. `detail` is for a person, `code` for a program.',
    examples: [
      {
        type: 'about:blank',
        title: 'Conflict',
        status: 409,
        detail: 'The card is retired. A retired card stays as it is.',
        code: 'card-not-active',
        requestId: '0199f2a0-9999-7000-8000-000000000009',
      },
    ],
  },
);

export const sharedComponents: TSchema[] = [
  PersonRef,
  DeviceRef,
  CardRef,
  OperatorRef,
  AllowedAction,
  FieldProblem,
  Problem,
];
