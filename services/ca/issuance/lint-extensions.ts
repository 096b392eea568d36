import { TAG } from '../asn1/der.ts';
import { OID } from '../asn1/oids.ts';
import { type DerValue, dottedOid, readDer, utf8Text } from '../asn1/reader.ts';
import { KEY_USAGE } from '../x509/extensions.ts';
import { CERTIFICATE_BOUNDS, keyIdentifier, keyType } from '../x509/public-key.ts';
import type { Intent } from './intent.ts';
import type { NameKind } from './profiles.ts';

/** Notes a finding when something is not so. */
export type Check = (ok: boolean, finding: string) => void;

/** RFC 5280 4.2.1: which extensions a conforming CA marks critical. Of ours, just these two. */
const CRITICAL = new Set<string>([OID.basicConstraints, OID.keyUsage]);

type Rule = (value: DerValue, intent: Intent, publicKey: DerValue) => string | null;

/** Each gives null, or what is wrong. */
const RULES: Readonly<Record<string, Rule>> = {
  [OID.basicConstraints]: (value, { profile }) => {
    const [ca, pathLength, ...rest] = value.children;
    if (profile.ca === null) return value.children.length === 0 ? null : 'basicConstraints is not CA:FALSE (4.2.1.9)';
    const wanted = profile.ca.pathLength;
    const isCa = ca?.tag === TAG.boolean && ca.content[0] === 0xff;
    const asWanted = wanted === null ? pathLength === undefined : pathLength?.content.equals(Buffer.of(wanted));
    return isCa && asWanted && rest.length === 0 ? null : 'basicConstraints is not that of its CA profile (4.2.1.9)';
  },
  [OID.keyUsage]: (value, { profile }, publicKey) => {
    const type = keyType(publicKey);
    if (type === null) return 'a key that is neither EC nor RSA';
    const bits = profile.keyUsage[type].map((usage) => KEY_USAGE[usage]);
    const set: number[] = [];
    value.content.subarray(1).forEach((byte, at) => {
      for (let bit = 0; bit < 8; bit += 1) if ((byte & (0x80 >> bit)) !== 0) set.push(at * 8 + bit);
    });
    const same = set.length === bits.length && bits.every((bit) => set.includes(bit));
    // Named bits end with one that is set (X.690 11.2.2): the last byte is not 0, and its unused bits are as said.
    const last = value.content.at(-1) ?? 0;
    const exact = value.content[0] === 31 - Math.clz32(last & -last);
    return value.tag === TAG.bitString && same && exact ? null : 'keyUsage is not that of the profile (4.2.1.3)';
  },
  [OID.extendedKeyUsage]: (value, { profile }) => {
    const oids = value.children.map(dottedOid);
    const wanted = profile.extendedKeyUsage;
    const same = oids.length === wanted.length && wanted.every((oid) => oids.includes(oid));
    return same ? null : 'extKeyUsage is not that of the profile (4.2.1.12)';
  },
  [OID.subjectKeyIdentifier]: (value, _intent, publicKey) => {
    const bits = publicKey.children[1]?.content.subarray(1);
    return bits !== undefined && value.content.equals(keyIdentifier(bits)) ? null : 'SKI is not of this key (4.2.1.2)';
  },
  [OID.authorityKeyIdentifier]: (value, { issuer }) => {
    const [keyId, ...rest] = value.children;
    const same = issuer !== null && keyId?.tag === 0x80 && keyId.content.equals(issuer.keyIdentifier);
    return same && rest.length === 0 ? null : 'AKI is not the key identifier of the issuer (4.2.1.1)';
  },
  [OID.ocspNoCheck]: (value) => (value.tag === TAG.null ? null : 'ocsp-nocheck is not NULL (RFC 6960 4.2.2.2.1)'),
  [OID.subjectAltName]: (value, { subjectAltName }) => {
    const wanted = new Set(namesOf(subjectAltName));
    const found = new Set(value.children.map(nameText));
    const same = value.children.length === wanted.size && [...wanted].every((name) => found.has(name));
    return same && found.size > 0 ? null : 'subjectAltName does not hold exactly the names asked for (4.2.1.6)';
  },
  [OID.securityIdentifier]: (value, { securityIdentifier }) => {
    const name = value.children[0];
    const [type, wrapped] = name?.children ?? [];
    const text = wrapped?.children[0];
    const form = value.children.length === 1 && name?.tag === 0xa0 && type !== undefined && wrapped?.tag === 0xa0;
    const ours = form && dottedOid(type) === OID.objectSecurityIdentifier && text?.tag === TAG.octetString;
    return ours && securityIdentifier !== undefined && text.content.toString('latin1') === securityIdentifier
      ? null
      : 'the SID extension does not hold exactly the SID asked for ([MS-WCCE] 2.2.2.7.7.4)';
  },
  [OID.authorityInformationAccess]: (value) => {
    const ok = value.children.every(({ children: [method, location] }) => method && location && isWebUrl(location));
    return ok && value.children.length > 0 ? null : 'AIA holds something that is no http(s) URL (4.2.2.1)';
  },
  [OID.crlDistributionPoints]: (value) => {
    const location = value.children[0]?.children[0]?.children[0]?.children[0];
    return value.children.length === 1 && location && isWebUrl(location) ? null : 'CDP is no http(s) URL (4.2.1.13)';
  },
};

export function lintExtensions(wrapper: DerValue, publicKey: DerValue, intent: Intent, check: Check): void {
  check(wrapper.tag === 0xa3 && wrapper.children.length === 1, 'extensions are not [3] EXPLICIT (4.1)');
  const { profile } = intent;
  const seen = new Set<string>();
  for (const { children } of wrapper.children[0]?.children ?? []) {
    const [oidValue, ...others] = children;
    const last = others.at(-1);
    if (oidValue === undefined || last?.tag !== TAG.octetString || others.length > 2) {
      check(false, 'an extension is not of its form (4.1)');
      continue;
    }
    const oid = dottedOid(oidValue);
    const critical = others.length === 2;
    // DEFAULT FALSE is never written in DER (X.690 11.5).
    check(
      !critical || (others[0]?.tag === TAG.boolean && others[0].content[0] === 0xff),
      `${oid}: critical is not TRUE`,
    );
    check(!seen.has(oid), `extension ${oid} twice (4.2)`);
    seen.add(oid);
    check(critical === CRITICAL.has(oid), `extension ${oid} is ${critical ? '' : 'not '}critical`);
    const rule = Object.hasOwn(profile.extensions, oid) ? RULES[oid] : undefined;
    if (rule === undefined) {
      check(false, `extension ${oid} has no place in profile ${profile.name}`);
      continue;
    }
    const finding = rule(readDer(last.content, CERTIFICATE_BOUNDS), intent, publicKey);
    check(finding === null, finding ?? '');
  }
  for (const [oid, required] of Object.entries(profile.extensions)) {
    check(!required || seen.has(oid), `extension ${oid} is missing from profile ${profile.name}`);
  }
  const named = namesOf(intent.subjectAltName).length > 0;
  lintKinds(intent, check);
  check(!named || seen.has(OID.subjectAltName), 'subjectAltName is missing');
  check(intent.securityIdentifier === undefined || seen.has(OID.securityIdentifier), 'the SID extension is missing');
}

/** The order itself is held to the profile: a name that it does not have is wrong even when it was asked for. */
function lintKinds({ profile, subjectAltName, securityIdentifier }: Intent, check: Check): void {
  const given: Record<string, unknown> = { ...subjectAltName, securityIdentifier };
  const present = Object.keys(given).filter((kind) => given[kind] !== undefined) as NameKind[];
  for (const kind of present) check(profile.names[kind] !== undefined, `profile ${profile.name} has no ${kind}`);
  for (const [kind, must] of Object.entries(profile.names) as [NameKind, boolean][]) {
    check(!must || present.includes(kind), `profile ${profile.name} must have ${kind}`);
  }
}

function namesOf(names: Intent['subjectAltName']): string[] {
  const { userPrincipalName, kerberosPrincipal, email, dnsNames = [] } = names;
  return [
    ...(userPrincipalName === undefined ? [] : [`upn:${userPrincipalName}`]),
    ...(kerberosPrincipal === undefined ? [] : [`kpn:${kerberosPrincipal}`]),
    ...(email === undefined ? [] : [`email:${email}`]),
    ...dnsNames.map((name) => `dns:${name}`),
  ];
}

/** A GeneralName in the same words, or one that is never wanted. */
function nameText(name: DerValue): string {
  if (name.tag === 0x81) return `email:${name.content.toString('latin1')}`;
  if (name.tag === 0x82) return `dns:${name.content.toString('latin1')}`;
  const [type, wrapped] = name.children;
  const value = wrapped?.children[0];
  if (name.tag !== 0xa0 || type === undefined || value === undefined) return 'unwanted';
  if (dottedOid(type) === OID.userPrincipalName) return `upn:${utf8Text(value)}`;
  if (dottedOid(type) !== OID.kerberosPrincipalName) return 'unwanted';
  const realm = value.children[0]?.children[0]?.content.toString('latin1');
  const parts = value.children[1]?.children[0]?.children[1]?.children[0]?.children ?? [];
  return `kpn:${parts.map((part) => part.content.toString('latin1')).join('/')}@${realm}`;
}

function isWebUrl({ tag, content }: DerValue): boolean {
  // Through the wrappers of a distribution point the location is the fullName's only GeneralName.
  return tag === 0x86 && URL.canParse(content.toString('latin1')) && /^https?:\/\//.test(content.toString('latin1'));
}
