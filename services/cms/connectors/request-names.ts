import { DerReader, dotted, TAG } from '@cardwright/protocol/attestation';
import { NAMES_MALFORMED, type Names, namesOfSubject, namesOfSubjectAltName } from './names.ts';

const EXTENSION_REQUEST = '1.2.840.113549.1.9.14';
const SUBJECT_ALT_NAME = '2.5.29.17';
const MOST = 20;

export interface AskedBeyondKey {
  /** What the request names. A CA that takes names from requests would write them. */
  readonly names: Names;
  /** `subject`, `extension 2.5.29.17`, `attribute 1.2.840.113549.1.9.7`; at most 20. */
  readonly items: readonly string[];
}

/**
 * What a certification request (RFC 2986) asks for beside its key.
 * @throws DomainError `names-malformed`.
 */
export function askedBeyondKey(csr: Uint8Array): AskedBeyondKey {
  const info = new DerReader(csr, NAMES_MALFORMED).inside('the request').inside('its contents');
  info.next('the version', TAG.integer);
  const subject = info.next('the subject', TAG.sequence).raw;
  info.next('the key', TAG.sequence);
  const names = new Set(namesOfSubject(subject));
  const items = names.size === 0 ? [] : ['subject'];
  const attributes = info.optional('the attributes', 0xa0);
  const list = new DerReader(attributes?.content ?? new Uint8Array(), NAMES_MALFORMED);
  while (list.more) {
    const attribute = list.inside('an attribute');
    const type = dotted(attribute.next('its type', TAG.objectIdentifier).content);
    if (type !== EXTENSION_REQUEST) items.push(`attribute ${type}`);
    else
      for (const { id, value } of extensionsIn(attribute)) {
        items.push(`extension ${id}`);
        if (id === SUBJECT_ALT_NAME) for (const name of namesOfSubjectAltName(value)) names.add(name);
      }
    if (items.length > MOST) list.fail(`more than ${MOST} attributes and extensions`);
  }
  return { names, items };
}

function extensionsIn(attribute: DerReader): { id: string; value: Uint8Array }[] {
  const list = attribute.inside('its values', TAG.set).inside('the extensions');
  const found: { id: string; value: Uint8Array }[] = [];
  while (list.more && found.length <= MOST) {
    const extension = list.inside('an extension');
    const id = dotted(extension.next('its name', TAG.objectIdentifier).content);
    extension.optional('critical', TAG.boolean);
    found.push({ id, value: extension.next('its value', TAG.octetString).content });
  }
  return found;
}
