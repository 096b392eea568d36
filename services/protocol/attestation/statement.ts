import { type Bytes, Reader } from '../tpm/wire.ts';
import { ATTEST, TPM_GENERATED } from './numbers.ts';
import { refused } from './refusal.ts';

interface Common {
  /** Qualified Name of the key that signed. */
  readonly signer: Bytes;
  /** What the verifier asked to be put in: its nonce. */
  readonly qualifyingData: Bytes;
}

/** A TPMS_ATTEST: what a TPM states about something in it (Part 2, section 10.12.8). */
export type Statement =
  | (Common & { readonly about: 'object'; readonly name: Bytes; readonly qualifiedName: Bytes })
  | (Common & { readonly about: 'creation'; readonly name: Bytes; readonly creationHash: Bytes })
  | (Common & { readonly about: 'nv'; readonly indexName: Bytes; readonly offset: number; readonly contents: Bytes });

const CODE = 'evidence-malformed';
/** A Name is at most a SHA-512 digest with its algorithm. */
const MAX_NAME = 66;
const MAX_STATEMENT = 1024;

/**
 * Reads a TPMS_ATTEST of one of the types that a card's evidence has. Says nothing of who signed it.
 * Throws `evidence-malformed`; `evidence-not-by-tpm` (the magic is missing, so no TPM made it), `evidence-type-wrong`.
 */
export function parseStatement(bytes: Bytes): Statement {
  const reader = new Reader(bytes, CODE, MAX_STATEMENT);
  if (reader.u32('magic') !== TPM_GENERATED) {
    throw refused('evidence-not-by-tpm', 'The evidence does not begin as everything does that a TPM states.');
  }
  const type = reader.u16('type');
  const common: Common = {
    signer: reader.sized(MAX_NAME, 'qualifiedSigner'),
    qualifyingData: reader.sized(MAX_NAME, 'extraData'),
  };
  reader.bytes(17, 'clockInfo');
  reader.bytes(8, 'firmwareVersion');
  const statement = readAttested(reader, type, common);
  reader.end();
  return statement;
}

function readAttested(reader: Reader, type: number, common: Common): Statement {
  switch (type) {
    case ATTEST.certify: {
      const name = reader.sized(MAX_NAME, 'name');
      return { ...common, about: 'object', name, qualifiedName: reader.sized(MAX_NAME, 'qualifiedName') };
    }
    case ATTEST.creation: {
      const name = reader.sized(MAX_NAME, 'objectName');
      return { ...common, about: 'creation', name, creationHash: reader.sized(64, 'creationHash') };
    }
    case ATTEST.nv: {
      const indexName = reader.sized(MAX_NAME, 'indexName');
      const offset = reader.u16('offset');
      return { ...common, about: 'nv', indexName, offset, contents: reader.sized(MAX_STATEMENT, 'nvContents') };
    }
    default:
      throw refused('evidence-type-wrong', `The TPM stated something else (type 0x${type.toString(16)}).`);
  }
}

export interface CreationData {
  readonly parentName: Bytes;
  readonly parentQualifiedName: Bytes;
  readonly outsideInfo: Bytes;
}

/** A TPMS_CREATION_DATA (Part 2, section 15.1). Throws `evidence-malformed`. */
export function parseCreationData(bytes: Bytes): CreationData {
  const reader = new Reader(bytes, CODE, MAX_STATEMENT);
  const selections = reader.u32('count of PCR selections');
  if (selections > 16) reader.fail(`${selections} PCR selections`);
  for (let i = 0; i < selections; i++) {
    reader.u16('hash of a PCR selection');
    reader.bytes(reader.u8('size of a PCR selection'), 'PCR selection');
  }
  reader.sized(64, 'pcrDigest');
  reader.u8('locality');
  reader.u16('parentNameAlg');
  const parentName = reader.sized(MAX_NAME, 'parentName');
  const parentQualifiedName = reader.sized(MAX_NAME, 'parentQualifiedName');
  const outsideInfo = reader.sized(MAX_NAME, 'outsideInfo');
  reader.end();
  return { parentName, parentQualifiedName, outsideInfo };
}
