-- What the vault holds for the lockout of a device's TPM: one secret for each device and storage key.
ALTER TABLE vault.secrets DROP CONSTRAINT secrets_kind_check;
ALTER TABLE vault.secrets ADD CONSTRAINT secrets_kind_check
  CHECK (kind IN ('uniform-key', 'an10922-master', 'dogtag-master', 'transient-key', 'puk', 'fingerprint-key',
                  'lockout-key'));
