-- How a card's key comes about, by its profile; keys that several cards depend on; PUKs.

-- AlterTable
ALTER TABLE "card_profiles" ADD COLUMN     "algorithm" TEXT NOT NULL DEFAULT 'hmac-sha256',
ADD COLUMN     "challenge_mode" TEXT NOT NULL DEFAULT 'ecb',
ADD COLUMN     "derivation" TEXT,
ADD COLUMN     "kind" TEXT NOT NULL DEFAULT 'tpm',
ADD COLUMN     "named_key" TEXT,
ADD COLUMN     "puk" TEXT NOT NULL DEFAULT 'none';

-- AlterTable
ALTER TABLE "cards" ADD COLUMN     "has_puk" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "named_key" TEXT,
ADD COLUMN     "puk_shown_at" TIMESTAMPTZ(3);

-- CreateIndex
CREATE INDEX "cards_named_key_id_idx" ON "cards"("named_key", "id");

-- What Prisma's schema can't say ------------------------------------------------------------------------------------

ALTER TABLE "card_profiles" DROP CONSTRAINT "card_profiles_key_strategy";
ALTER TABLE "card_profiles"
  ADD CONSTRAINT "card_profiles_key_strategy"
    CHECK ("key_strategy" IN ('uniform', 'random-not-stored', 'random-stored', 'deterministic')),
  ADD CONSTRAINT "card_profiles_kind" CHECK ("kind" IN ('tpm', 'minidriver')),
  ADD CONSTRAINT "card_profiles_algorithm" CHECK ("algorithm" IN ('tdes', 'aes-128', 'aes-192', 'aes-256', 'hmac-sha256')),
  ADD CONSTRAINT "card_profiles_challenge_mode" CHECK ("challenge_mode" IN ('ecb', 'cbc')),
  ADD CONSTRAINT "card_profiles_puk" CHECK ("puk" IN ('none', 'optional', 'required')),
  ADD CONSTRAINT "card_profiles_derivation" CHECK ("derivation" IN ('an10922', 'dogtag')),
  -- A key of a TPM card is made for it alone, and such a card has no PUK.
  ADD CONSTRAINT "card_profiles_tpm" CHECK (("kind" = 'tpm') = ("algorithm" = 'hmac-sha256')),
  ADD CONSTRAINT "card_profiles_tpm_own" CHECK ("kind" <> 'tpm' OR ("puk" = 'none' AND "named_key" IS NULL)),
  -- What the strategy needs to know, and no more.
  ADD CONSTRAINT "card_profiles_uniform" CHECK ("key_strategy" <> 'uniform' OR ("named_key" IS NOT NULL AND "derivation" IS NULL)),
  ADD CONSTRAINT "card_profiles_random" CHECK (
    "key_strategy" NOT IN ('random-not-stored', 'random-stored') OR ("named_key" IS NULL AND "derivation" IS NULL)),
  ADD CONSTRAINT "card_profiles_deterministic" CHECK (
    "key_strategy" <> 'deterministic' OR ("named_key" IS NOT NULL) = ("derivation" IS NOT NULL)),
  ADD CONSTRAINT "card_profiles_fleet" CHECK ("kind" = 'tpm' OR "key_strategy" <> 'deterministic' OR "named_key" IS NOT NULL);
ALTER TABLE "cards"
  ADD CONSTRAINT "cards_puk_shown" CHECK ("puk_shown_at" IS NULL OR "has_puk"),
  ADD CONSTRAINT "cards_uniform" CHECK ("key_strategy" <> 'uniform' OR "named_key" IS NOT NULL);

INSERT INTO "card_profiles"
  ("name", "display_name", "kind", "algorithm", "key_strategy", "puk", "pin_limit", "pin_policy", "containers")
SELECT p."name", p."display_name", p."kind", p."algorithm", p."key_strategy", p."puk", t."pin_limit", t."pin_policy",
  CASE WHEN p."kind" = 'tpm' THEN t."containers" ELSE '[]'::jsonb END
FROM (VALUES
  ('tpm-not-stored', 'TPM card, key not stored', 'tpm', 'hmac-sha256', 'random-not-stored', 'none'),
  ('minidriver-aes', 'Minidriver card, AES-256, own key', 'minidriver', 'aes-256', 'random-stored', 'none'),
  ('minidriver-tdes', 'Minidriver card, TDES (legacy interoperability), own key', 'minidriver', 'tdes', 'random-stored', 'none'),
  ('minidriver-tdes-puk', 'Minidriver card, TDES (legacy interoperability), with PUK', 'minidriver', 'tdes', 'random-stored', 'required'),
  ('minidriver-not-stored', 'Minidriver card, TDES (legacy interoperability), key not stored', 'minidriver', 'tdes', 'random-not-stored', 'optional')
) AS p ("name", "display_name", "kind", "algorithm", "key_strategy", "puk"), "card_profiles" AS t
WHERE t."name" = 'tpm-default';
