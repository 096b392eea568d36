import { TAG } from '../asn1/der.ts';
import { OID } from '../asn1/oids.ts';
import { DerError, type DerValue, dottedOid, utf8Text } from '../asn1/reader.ts';

/** What is told of them at most; the last then says that there were more. */
const MAX_WISHES = 20;

/**
 * What a request asks for beyond its key. None of it is taken; it is read all the same, so that a request that is not
 * what it should be is refused, and so that its sender learns what was left out.
 * @param subject Name
 * @param attributes of RFC 2986 4.1
 * @returns `subject`, `extension OID` and `attribute OID`, at most 20
 * @throws DerError
 */
export function wishesOf(subject: DerValue, attributes: readonly DerValue[]): string[] {
  checkName(subject);
  const types = new Set<string>();
  const wishes = subject.children.length > 0 ? ['subject'] : [];
  for (const attribute of attributes) {
    const [type, values] = pair(attribute, TAG.set, 'an attribute');
    const oid = dottedOid(type);
    if (types.has(oid)) throw new DerError(`the attribute ${oid} twice`, 0);
    types.add(oid);
    checkText(values);
    if (oid === OID.extensionRequest) wishes.push(...extensionsOf(values).map((one) => `extension ${one}`));
    else wishes.push(`attribute ${oid}`);
  }
  return wishes.length > MAX_WISHES ? [...wishes.slice(0, MAX_WISHES - 1), 'more'] : wishes;
}

/** The extensions that an extensionRequest (RFC 2985 5.4.2) asks for, by their identifiers. */
function extensionsOf({ children: [extensions, ...others] }: DerValue): string[] {
  if (extensions?.tag !== TAG.sequence || others.length > 0) throw new DerError('an extensionRequest of no form', 0);
  const seen = new Set<string>();
  for (const { tag, children } of extensions.children) {
    const [oid, ...rest] = children;
    const critical = rest.length === 2 ? rest[0]?.tag === TAG.boolean : rest.length === 1;
    if (tag !== TAG.sequence || oid === undefined || !critical || rest.at(-1)?.tag !== TAG.octetString) {
      throw new DerError('an extension that is not of its form', 0);
    }
    const dotted = dottedOid(oid);
    if (seen.has(dotted)) throw new DerError(`the extension ${dotted} twice`, 0);
    seen.add(dotted);
  }
  return [...seen];
}

/** Name ::= SEQUENCE OF SET OF SEQUENCE { type, value } (RFC 5280 4.1.2.4). */
function checkName(name: DerValue): void {
  for (const rdn of name.children) {
    if (rdn.tag !== TAG.set || rdn.children.length === 0) throw new DerError('a name that is not of its form', 0);
    for (const attribute of rdn.children) {
      const [type, value] = pair(attribute, null, 'a name');
      dottedOid(type);
      checkText(value);
    }
  }
}

function pair({ tag, children }: DerValue, second: number | null, what: string): [DerValue, DerValue] {
  const [type, value, ...rest] = children;
  const whole = tag === TAG.sequence && type !== undefined && value !== undefined && rest.length === 0;
  if (!whole || (second !== null && value.tag !== second)) throw new DerError(`${what} that is not of its form`, 0);
  return [type, value];
}

function checkText(value: DerValue): void {
  if (value.tag === TAG.utf8String) utf8Text(value);
  for (const child of value.children) checkText(child);
}
