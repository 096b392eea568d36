// Generated from openapi.json by `npm run contract`. Do not edit.

export interface paths {
    "/api/v1/administrator-key-changes/{keyChangeId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One change of a card's administrator key. */
        get: operations["getAdministratorKeyChange"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/administrator-key-changes/{keyChangeId}/abandonments": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * End a change that its device has given up, without its being known which key the card has.
         * @description Both keys are kept until the card is retired or another change is confirmed, and should the card turn out to have the new key, this change is confirmed after all.
         */
        post: operations["giveUpAdministratorKeyChange"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/administrator-key-changes/{keyChangeId}/cancellations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** End a change whose device was not given a key yet. */
        post: operations["cancelAdministratorKeyChange"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agent/attestations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Show which TPM this device is, by its maker's certificate; get a credential that only it can open. */
        post: operations["beginAttestation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agent/attestations/{attestationId}/activations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Bring the credential back: from here on the device is that TPM, and signs in with its key. Idempotent. */
        post: operations["activateAttestation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agent/cards": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This device's cards, newest first. */
        get: operations["listOwnCards"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agent/cards/{cardId}/approval-requests": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** What a person is to sign with this card, so that another card of theirs gets a new PIN. */
        post: operations["prepareCardApproval"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agent/cards/{cardId}/approvals": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Approve, with this card, that another card of the same person gets a new PIN.
         * @description The signature is over the SHA-256 of the statement that both ends write for themselves (README of the agent), by the key of a certificate of this card that is in force. The response goes to the device of the other card alone.
         */
        post: operations["approveWithCard"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agent/cards/{cardId}/certificate-requests": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ask for the next certificate of a container, for the same key or a new one.
         * @description Without `csr` it is for the same key, by the request that proved it. The certificate before stays in force until the device confirms that it has stored the new one. The same question gives the same certificate. A new key keeps the level of assurance where the TPM proves it, or the key before signs for it.
         */
        post: operations["renewCertificate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agent/cards/{cardId}/certificates/{certificateId}/confirmations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The device has stored the renewed certificate: the one before is revoked as superseded. Idempotent. */
        post: operations["confirmRenewal"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agent/cards/{cardId}/destructions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The card was destroyed on this device: its certificates are revoked. Idempotent. */
        post: operations["destroyCard"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agent/cards/{cardId}/evidence": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** New evidence of the keys of a card in use. Each is judged and recorded; none is refused. */
        post: operations["attestCard"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agent/cards/{cardId}/renewals": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** When the certificates of this device's card are to be renewed, by the policy of its profile. */
        get: operations["listRenewals"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agent/cards/{cardId}/unblock-requests": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Ask an operator for the response to this device's challenge. */
        post: operations["requestUnblock"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agent/check-ins": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Say how this device's cards are; hear how the server has them, and what is to be done. */
        post: operations["checkIn"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agent/doctor-reports": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Say how ready for cards this device is. Replaces its report before. */
        post: operations["reportReadiness"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agent/enrolments/{enrolmentId}/administrator-keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Have the vault make the card's administrator key, wrapped to this TPM. */
        post: operations["makeAdministratorKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agent/enrolments/{enrolmentId}/certificate-requests": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ask for the certificate of a container's key.
         * @description The same request gives the same certificate. Another one supersedes: the certificate before is revoked. Names come from the person’s record, not from the request.
         */
        post: operations["requestCertificate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agent/enrolments/{enrolmentId}/completions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The card is made: put it into use. Idempotent. */
        post: operations["completeEnrolment"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agent/enrolments/{enrolmentId}/first-writes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Have the vault sign the PIN index's first write: once a key version. */
        post: operations["approveFirstWrite"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agent/enrolments/{enrolmentId}/initial-pins": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * The first PIN is set: what an operator who looked on is to confirm, and whether one has.
         * @description Asked again for the same card it gives the same code.
         */
        post: operations["askSupervision"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agent/enrolments/{enrolmentId}/proof-nonces": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A nonce for one signature by a certificate that the person has already. It replaces an earlier one. */
        post: operations["giveProofNonce"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agent/enrolments/claims": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Claim an enrolment code for this device. The code is the credential.
         * @description The device makes its token and stores it before it asks: the same code with the same token gives the same claim.
         */
        post: operations["claimEnrolment"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agent/evidence-nonces": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A nonce for evidence of card keys, good for ten minutes. */
        post: operations["giveEvidenceNonce"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agent/lockout-protections": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** What a device needs to put its TPM's lockout under the vault's protection. The same each time. */
        post: operations["protectLockout"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agent/tasks/{taskId}/card-answers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The answer to a minidriver card's challenge, by its old or its new key. While a change is under way. */
        post: operations["answerCardForKeyChange"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agent/tasks/{taskId}/offers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The new administrator key of a card, wrapped to this TPM. The same each time it is asked for. */
        post: operations["offerAdministratorKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agent/tasks/{taskId}/results": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Say what came of a task. To be repeated until it is answered; it counts once. */
        post: operations["reportTask"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agent/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Get an access token for an assertion that the device's attestation key signed (RFC 7523).
         * @description A JWT of ES256: `kid` is the attestation key's Name in hex, `iss` and `sub` the device's id, `aud` this URL, `exp` at most five minutes after `iat`, `jti` used once.
         */
        post: operations["signDeviceIn"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agent/unblock-requests/{sessionId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How the request stands; the response, once an operator has approved. For the device that asked alone. */
        get: operations["pollUnblockRequest"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agent/unblock-requests/{sessionId}/outcomes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Say whether the response worked. The server then forgets it. */
        post: operations["reportOwnUnblockOutcome"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What was done and what was refused, newest first. */
        get: operations["listAuditEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/authorities/{authority}/life-cycle-acts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * The key of a CA is in other hands: revoke all that it issued.
         * @description First with `preview`, which plans an operation and shows it; then with its id as the token. The worker carries it out, and takes in what the CA issues meanwhile. Who has the key can sign CRLs, too: have the certificate of the CA revoked by its root, and put another CA into the certificate profiles.
         */
        post: operations["actOnAuthority"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/card-imports": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Take many existing cards under management at once: all of them, or none.
         * @description Up to 500 cards, as `text/csv` (RFC 4180, the first line names the columns) or `application/x-ndjson`. Fields: serial, person (user principal name), device (host name or id), cardProfile, algorithm, challengeMode, administratorKey and puk (sealed, as in POST /api/v1/cards), diversifier, keyCheckValue, takeOver (yes: others know the key, and the agent of the device changes it before the card is used). Keys in clear are refused.
         */
        post: operations["importCards"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/card-imports/{importId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How far an import is, and what became of each line. */
        get: operations["getCardImport"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/card-profiles": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The kinds of cards that can be enrolled. */
        get: operations["listCardProfiles"];
        put?: never;
        /** A profile for TPM cards, or for minidriver cards that exist already. */
        post: operations["createCardProfile"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/card-profiles/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One kind of cards. */
        get: operations["getCardProfile"];
        /**
         * Change the rules of a profile of TPM cards.
         * @description They count from now on: for cards that are made, and for renewals and unblocks of those that are there. A card gets no container that it was not made with, and keeps the PIN limit that it was made with.
         */
        put: operations["changeCardProfile"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/card-profiles/{name}/key-rotations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Say how old administrator keys of cards of a profile may become; null: as old as they like.
         * @description Older keys are changed, some at a time, on devices that check in. The key of a TPM card is changed 16 times at most.
         */
        post: operations["setKeyRotation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/card-profiles/{profileName}/attestation-policies": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Whether cards of this profile must prove their TPM. Counts for what is enrolled from now on. */
        post: operations["setAttestationPolicy"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cards": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Find cards by a part of the serial, person, device or state; newest first. */
        get: operations["listCards"];
        put?: never;
        /**
         * Take an existing card with its known administrator key under management.
         * @description The key is sealed to the key of GET /api/v1/vault/import-key before it is sent. Cut off in the middle, the same request again completes it.
         */
        post: operations["registerCard"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cards/{cardId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One card: whose, where, in which state, and what may be done with it. */
        get: operations["getCard"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cards/{cardId}/administrator-key-changes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Changes of a card's administrator key, newest first. */
        get: operations["listAdministratorKeyChanges"];
        put?: never;
        /**
         * Have the device give its card another administrator key, at its next check-in.
         * @description The old key is kept until the card is known to have the new one, and either opens the card until then. A TPM card obeys its old key for ever: there, a change retires a strategy or a master version, and does not help after suspicion.
         */
        post: operations["changeAdministratorKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cards/{cardId}/certificates": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A card's certificates, newest first. */
        get: operations["listCardCertificates"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cards/{cardId}/life-cycle-acts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What may have happened to a card’s computer, and whether it would change something. */
        get: operations["listCardActs"];
        put?: never;
        /**
         * A card’s computer was lost, stolen or installed anew.
         * @description First with `preview`, which shows all that would be done and gives a token; then with that token. When something changed in between, it is refused with what would be done now.
         */
        post: operations["actOnCard"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cards/{cardId}/puk-disclosures": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Show the PUK of a card, once. */
        post: operations["disclosePuk"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cards/{cardId}/re-attestations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Have the device prove its TPM and the keys of the card anew. The same task until it is done. */
        post: operations["askForEvidence"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cards/{cardId}/reissues": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Make a one-time code for a card that takes the place of this one, for the same person and profile. */
        post: operations["reissueCard"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cards/{cardId}/retirements": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Take a card out of use for ever, and revoke its certificates. */
        post: operations["retireCard"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cards/{cardId}/unblock-sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A card's unblock sessions, newest first. */
        get: operations["listCardUnblockSessions"];
        put?: never;
        /** A caller was identified, and is to get one response for this card. */
        post: operations["openUnblockSession"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/certificate-authorities": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The CAs that certificate profiles may name: what each can do, how it is, and what waits for it. */
        get: operations["listCertificateAuthorities"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/certificate-authorities/{name}/hand-revocations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Say that a certificate was revoked at a CA that Cardwright can not tell. */
        post: operations["recordHandRevocation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/certificate-expiries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How many certificates that are in force or on hold end in each month, by profile. */
        get: operations["countCertificateExpiries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/certificate-expiries/{month}/certificates": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The certificates in force or on hold that end in a month, the one that ends first first. */
        get: operations["listCertificateExpiries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/certificate-profiles": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What certificates say and for whom: the newest version of each profile, by name. */
        get: operations["listCertificateProfiles"];
        put?: never;
        /** Make a certificate profile. */
        post: operations["createCertificateProfile"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/certificate-profiles/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The newest version of a certificate profile. */
        get: operations["getCertificateProfile"];
        /**
         * Save a new version, which counts for what is asked for from now on.
         * @description Certificates that were issued stay as they are. The kind of a profile stays.
         */
        put: operations["changeCertificateProfile"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/certificate-profiles/{name}/versions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** All versions of a certificate profile, newest first: what counted when, and who said so. */
        get: operations["listCertificateProfileVersions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/certificate-profiles/previews": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** What a certificate of such a profile would say of a person. Nothing is saved or signed. */
        post: operations["previewCertificate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/certificates": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Find certificates by whose they are, by what they are, by their status; also as of a past time.
         * @description Newest first; of `status=expired` what ended last. With `asOf` the status, the revocation and the attestation are those of that moment, as recorded by then, and nothing can be done; it goes with a device, a card, a person, a serial number, a thumbprint or a public key.
         */
        get: operations["listCertificates"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/certificates/{certificateId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One certificate, with the card, the device and the person it belongs to. */
        get: operations["getCertificate"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/certificates/{certificateId}/evidence": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What the TPM stated of a certificate's key, newest first, to be verified by whoever wants to. */
        get: operations["listEvidence"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/certificates/{certificateId}/history": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Every state that a certificate was ever in, newest first, and who brought it there.
         * @description Noted by the database itself, so that no way of changing a certificate goes past it. That it expired is no change: see its `notAfter`.
         */
        get: operations["getCertificateHistory"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/certificates/{certificateId}/holds": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A certificate's holds and releases, newest first: at most the last 100. */
        get: operations["listHolds"];
        put?: never;
        /** Put a certificate on hold: nobody accepts it until it is released. */
        post: operations["holdCertificate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/certificates/{certificateId}/releases": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Release a certificate from its hold: it is accepted again. */
        post: operations["releaseCertificate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/certificates/{certificateId}/renewals": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Have a certificate renewed now, whatever its window, at the next check-in of its device.
         * @description It stays in force until its device has stored the next one. Asked again while that is not done, it is the same task.
         */
        post: operations["requestRenewal"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/certificates/{certificateId}/revocations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A certificate's revocation, and whether the CA has it. */
        get: operations["getRevocation"];
        put?: never;
        /**
         * Revoke a certificate, for ever.
         * @description The decision is recorded before the CA is told. When the CA does not answer, `state` is `proposed` and the worker tells it. Asking again with the same reason gives the same revocation. A certificate on hold can be revoked too.
         */
        post: operations["revokeCertificate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/devices": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Find devices by their host name or a part of it; newest first. */
        get: operations["listDevices"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/devices/{deviceId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One device, with what it last said of its readiness for cards. */
        get: operations["getDevice"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/devices/{deviceId}/life-cycle-acts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What may have happened to a computer, and whether it would change something. */
        get: operations["listDeviceActs"];
        put?: never;
        /**
         * A computer was lost, stolen, handed over or installed anew: for all cards on it.
         * @description First with `preview`, which shows all that would be done and gives a token; then with that token. When something changed in between, it is refused with what would be done now.
         */
        post: operations["actOnDevice"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/devices/{deviceId}/lockout-resets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The response to the challenge of a locked TPM, which forgives its wrong tries once. */
        post: operations["resetLockout"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/devices/{deviceId}/messages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Have the agent show a message to who uses the device, at its next check-in. */
        post: operations["sendMessage"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/devices/{deviceId}/tasks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What a device's agent was asked to do, newest first. */
        get: operations["listDeviceTasks"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/enrolments": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Enrolments, newest first. */
        get: operations["listEnrolments"];
        put?: never;
        /** Make a one-time code with which a person makes a card on a device. */
        post: operations["createEnrolment"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/enrolments/{enrolmentId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One enrolment. Its code is never shown again. */
        get: operations["getEnrolment"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/enrolments/{enrolmentId}/cancellations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** End an enrolment that is not complete: the code is void, an unfinished card is retired. */
        post: operations["cancelEnrolment"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/enrolments/{enrolmentId}/initial-pin-confirmations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Say that the person whose card it is set its first PIN under your eyes.
         * @description Until then no certificate is issued. If the card is made anew, with another PIN, it is asked again.
         */
        post: operations["confirmInitialPin"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/enrolments/{enrolmentId}/vouchers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Who vouched that the person is the person, nearest first, back to the first of them.
         * @description Where a certificate signed for this enrolment, what vouched for that certificate follows, and so on. Nobody can change it.
         */
        get: operations["listVouchers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/named-keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Keys in the vault that several cards depend on. Their cards: GET /api/v1/cards?namedKey=. */
        get: operations["listNamedKeys"];
        put?: never;
        /**
         * Give the vault a uniform key, or the master key of a fleet from elsewhere.
         * @description Uniform keys are refused unless the vault is configured for them: they are unsafe.
         */
        post: operations["takeNamedKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Long work, newest first. */
        get: operations["listOperations"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operations/{operationId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How far long work is. */
        get: operations["getOperation"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operations/{operationId}/cancellations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Stop long work: what was decided stands, and nothing more is. */
        post: operations["cancelOperation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operations/{operationId}/items": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What a plan is about, and what became of each; in the order of the plan. */
        get: operations["listOperationItems"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/people": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Find people by a part of their name, or by their user principal name; newest first. */
        get: operations["listPeople"];
        put?: never;
        /** Enter a person who will hold cards. */
        post: operations["createPerson"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/people/{personId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One person. */
        get: operations["getPerson"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Write what the directory says of a person now: a new name, another address.
         * @description What is left out stays; null takes a name away. Certificates that were issued stay as they are: the answer says which of them have other names.
         */
        patch: operations["changePerson"];
        trace?: never;
    };
    "/api/v1/people/{personId}/life-cycle-acts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What may have happened to a person, and whether it would change something. */
        get: operations["listPersonActs"];
        put?: never;
        /**
         * A person left: for all their cards.
         * @description First with `preview`, which shows all that would be done and gives a token; then with that token. When something changed in between, it is refused with what would be done now.
         */
        post: operations["actOnPerson"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/revocation-batches": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Look for certificates to revoke, and change nothing: the plan is an operation that can then be run.
         * @description The plan holds for an hour. Its items say which certificates would be revoked, and of the others why not.
         */
        post: operations["planRevocationBatch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/revocation-batches/{operationId}/runs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Revoke what the plan holds. The worker does it; the operation says how far it is. */
        post: operations["runRevocationBatch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/revocations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Revocations, newest first. Those proposed wait for their CA. */
        get: operations["listRevocations"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/search": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Find people, cards, devices and certificates by one text.
         * @description A part of a name, of a card serial or of a host name; the beginning of a certificate serial number or thumbprint.
         */
        get: operations["search"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who is signed in, and what they may do. */
        get: operations["getSession"];
        put?: never;
        /** Sign in; the answer sets a cookie for eight hours. */
        post: operations["signIn"];
        /** End this session. */
        delete: operations["signOut"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/unblock-sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Unblock sessions, newest first; `requested` are those that wait for an operator. */
        get: operations["listUnblockSessions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/unblock-sessions/{unblockSessionId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One unblock session. A response is never shown again. */
        get: operations["getUnblockSession"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/unblock-sessions/{unblockSessionId}/approvals": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Approve what a device asked for itself. The response goes to the device alone. */
        post: operations["approveUnblock"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/unblock-sessions/{unblockSessionId}/outcome": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Say whether the response worked. Closes the session. */
        post: operations["reportUnblockOutcome"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/unblock-sessions/{unblockSessionId}/refusals": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** End a session without a response. */
        post: operations["refuseUnblock"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/unblock-sessions/{unblockSessionId}/responses": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The response to the challenge that the caller read out. Once a session, and once a challenge. */
        post: operations["answerChallenge"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/vault/import-key": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The public key to which administrator keys are sealed. */
        get: operations["getImportKey"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * @example {
         *       "taskId": "0199f2a0-aaaa-7000-8000-00000000000a",
         *       "kind": "change-administrator-key",
         *       "cardId": "0199f2a0-3333-7000-8000-000000000003",
         *       "cardSerial": "CW-7K3M-92QF",
         *       "cardKind": "tpm",
         *       "message": null
         *     }
         */
        AgentTask: {
            cardId: string | null;
            /** @enum {string|null} */
            cardKind: "tpm" | "minidriver" | null;
            cardSerial: string | null;
            /** @enum {string} */
            kind: "change-administrator-key" | "message" | "renew" | "re-attest" | "retire" | "destroy";
            /** @description For who uses the device. */
            message: string | null;
            taskId: string;
        };
        /**
         * @example {
         *       "action": "unblock",
         *       "allowed": true,
         *       "disabledReason": null
         *     }
         */
        AllowedAction: {
            action: string;
            allowed: boolean;
            disabledReason: string | null;
        };
        /**
         * @example {
         *       "profileName": "tpm-default",
         *       "policy": "required"
         *     }
         */
        AttestationPolicy: {
            /** @enum {string} */
            policy: "required" | "preferred" | "off";
            profileName: string;
        };
        /**
         * @example {
         *       "id": "1042",
         *       "time": "2026-03-02T09:15:27.120Z",
         *       "actor": {
         *         "kind": "operator",
         *         "id": "0199f2a0-4444-7000-8000-000000000004",
         *         "name": "helpdesk",
         *         "role": "helpdesk"
         *       },
         *       "action": "unblock.answered",
         *       "object": {
         *         "kind": "unblock-session",
         *         "id": "0199f2a0-5555-7000-8000-000000000005"
         *       },
         *       "personId": "0199f2a0-1111-7000-8000-000000000001",
         *       "deviceId": "0199f2a0-2222-7000-8000-000000000002",
         *       "cardId": "0199f2a0-3333-7000-8000-000000000003",
         *       "certificateId": null,
         *       "enrolmentId": null,
         *       "unblockSessionId": "0199f2a0-5555-7000-8000-000000000005",
         *       "outcome": "done",
         *       "code": null,
         *       "reason": "Caller forgot the PIN",
         *       "ticket": "INC-20417",
         *       "verification": {
         *         "method": "call-back",
         *         "evidence": "Number on record"
         *       },
         *       "before": {
         *         "state": "open"
         *       },
         *       "after": {
         *         "state": "answered"
         *       },
         *       "requestId": "0199f2a0-9999-7000-8000-000000000009"
         *     }
         */
        AuditEvent: {
            /** @description `noun.verb`, stable. */
            action: string;
            actor: {
                id: string;
                /** @enum {string} */
                kind: "operator" | "device" | "enrolment-code" | "anonymous" | "system";
                name: string;
                role: string | null;
            };
            after: {
                [key: string]: unknown;
            } | null;
            before: {
                [key: string]: unknown;
            } | null;
            cardId: string | null;
            certificateId: string | null;
            /** @description Why it was refused. */
            code: string | null;
            deviceId: string | null;
            enrolmentId: string | null;
            /** @description Grows with each event. */
            id: string;
            object: {
                id: string | null;
                kind: string;
            };
            /** @enum {string} */
            outcome: "done" | "refused";
            personId: string | null;
            reason: string | null;
            requestId: string;
            ticket: string | null;
            /** Format: date-time */
            time: string;
            unblockSessionId: string | null;
            verification: {
                evidence: string;
                method: string;
            } | null;
        };
        /**
         * @example {
         *       "items": [
         *         {
         *           "id": "1042",
         *           "time": "2026-03-02T09:15:27.120Z",
         *           "actor": {
         *             "kind": "operator",
         *             "id": "0199f2a0-4444-7000-8000-000000000004",
         *             "name": "helpdesk",
         *             "role": "helpdesk"
         *           },
         *           "action": "unblock.answered",
         *           "object": {
         *             "kind": "unblock-session",
         *             "id": "0199f2a0-5555-7000-8000-000000000005"
         *           },
         *           "personId": "0199f2a0-1111-7000-8000-000000000001",
         *           "deviceId": "0199f2a0-2222-7000-8000-000000000002",
         *           "cardId": "0199f2a0-3333-7000-8000-000000000003",
         *           "certificateId": null,
         *           "enrolmentId": null,
         *           "unblockSessionId": "0199f2a0-5555-7000-8000-000000000005",
         *           "outcome": "done",
         *           "code": null,
         *           "reason": "Caller forgot the PIN",
         *           "ticket": "INC-20417",
         *           "verification": {
         *             "method": "call-back",
         *             "evidence": "Number on record"
         *           },
         *           "before": {
         *             "state": "open"
         *           },
         *           "after": {
         *             "state": "answered"
         *           },
         *           "requestId": "0199f2a0-9999-7000-8000-000000000009"
         *         }
         *       ],
         *       "next": null
         *     }
         */
        AuditEventList: {
            items: components["schemas"]["AuditEvent"][];
            /** @description Send it as `cursor`. */
            next: string | null;
        };
        /**
         * @example {
         *       "id": "0199f2a0-3333-7000-8000-000000000003",
         *       "serial": "CW-7K3M-92QF",
         *       "personId": "0199f2a0-1111-7000-8000-000000000001",
         *       "deviceId": "0199f2a0-2222-7000-8000-000000000002",
         *       "kind": "tpm",
         *       "algorithm": "hmac-sha256",
         *       "challengeMode": "ecb",
         *       "keyStrategy": "random-stored",
         *       "keyStrategyWarning": null,
         *       "algorithmWarning": null,
         *       "namedKey": null,
         *       "puk": "none",
         *       "keyVersion": 1,
         *       "keySetAt": "2026-03-02T09:00:05.000Z",
         *       "takeOverPending": false,
         *       "initialPinPending": false,
         *       "state": "active",
         *       "triesLeft": 5,
         *       "pinLimit": 5,
         *       "createdAt": "2026-03-02T09:00:00.000Z",
         *       "stateChangedAt": "2026-03-02T09:00:09.000Z",
         *       "person": {
         *         "id": "0199f2a0-1111-7000-8000-000000000001",
         *         "displayName": "Mary Major",
         *         "userPrincipalName": "mary.major@example.com"
         *       },
         *       "device": {
         *         "id": "0199f2a0-2222-7000-8000-000000000002",
         *         "hostName": "lap-0421"
         *       },
         *       "replaces": null,
         *       "replacedBy": null,
         *       "allowedActions": [
         *         {
         *           "action": "unblock",
         *           "allowed": true,
         *           "disabledReason": null
         *         }
         *       ]
         *     }
         */
        Card: {
            /**
             * @description Of the administrator key.
             * @enum {string}
             */
            algorithm: "tdes" | "aes-128" | "aes-192" | "aes-256" | "hmac-sha256";
            /** @description What is to be known of the algorithm, such as that it is legacy. */
            algorithmWarning: string | null;
            allowedActions: components["schemas"]["AllowedAction"][];
            /**
             * @description How a challenge of more than one block is encrypted.
             * @enum {string}
             */
            challengeMode: "ecb" | "cbc";
            /** Format: date-time */
            createdAt: string;
            device: components["schemas"]["DeviceRef"] | null;
            deviceId: string | null;
            id: string;
            /** @description Nobody knows its first PIN: its holder has to exchange it for their own, with the hand-over code. */
            initialPinPending: boolean;
            /**
             * Format: date-time
             * @description Since when the card has that key.
             */
            keySetAt: string;
            /** @enum {string} */
            keyStrategy: "uniform" | "random-not-stored" | "random-stored" | "deterministic";
            /** @description Why this strategy is unsafe. To be shown with the card. */
            keyStrategyWarning: string | null;
            keyVersion: number | null;
            /** @enum {string} */
            kind: "tpm" | "minidriver";
            /** @description The uniform key, or the master of a fleet, that its key comes from. */
            namedKey: string | null;
            person: components["schemas"]["PersonRef"];
            personId: string;
            pinLimit: number | null;
            /**
             * @description A card with a PUK is unblocked with the PUK; its administrator key cannot reset the PIN.
             * @enum {string}
             */
            puk: "none" | "stored" | "shown";
            replacedBy: components["schemas"]["CardRef"] | null;
            replaces: components["schemas"]["CardRef"] | null;
            /** @description On the card's label. */
            serial: string;
            /** @enum {string} */
            state: "requested" | "created" | "active" | "blocked" | "suspended" | "retired" | "lost" | "compromised" | "destroyed";
            /** Format: date-time */
            stateChangedAt: string;
            /** @description Its key is known to others. Nothing is done with the card until its device has changed the key. */
            takeOverPending: boolean;
            /** @description Wrong PINs left, as of the last check-in. */
            triesLeft: number | null;
        };
        /**
         * @example {
         *       "response": "q83vEjRWeJo="
         *     }
         */
        CardAnswer: {
            /**
             * Format: byte
             * @description As long as the challenge.
             */
            response: string;
        };
        /**
         * @example {
         *       "sessionId": "0199f2a0-8888-7000-8000-000000000008",
         *       "serial": "CW-1111-2222"
         *     }
         */
        CardApproval: {
            /** @description Of the card that approved. */
            serial: string;
            sessionId: string;
        };
        /**
         * @example {
         *       "sessionId": "0199f2a0-8888-7000-8000-000000000008",
         *       "nonce": "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k=",
         *       "serial": "CW-7K3M-92QF",
         *       "hostName": "laptop-7",
         *       "personName": "Ada Lovelace",
         *       "requestedAt": "2026-11-20T09:00:00.000Z",
         *       "expiresAt": "2026-11-20T09:03:00.000Z"
         *     }
         */
        CardApprovalRequest: {
            /**
             * Format: date-time
             * @description Until when the signature is taken.
             */
            expiresAt: string;
            /** @description Of the device that it is on. */
            hostName: string;
            /**
             * Format: byte
             * @description Part of what is signed.
             */
            nonce: string;
            personName: string;
            /** Format: date-time */
            requestedAt: string;
            /** @description Of the card that is to get a new PIN. */
            serial: string;
            sessionId: string;
        };
        /**
         * @example {
         *       "certificates": [
         *         {
         *           "certificateId": "0199f2a0-5555-7000-8000-000000000005",
         *           "container": "sign-in",
         *           "state": "attested",
         *           "code": null
         *         }
         *       ]
         *     }
         */
        CardAttested: {
            certificates: {
                certificateId: string;
                code: string | null;
                container: string;
                /** @enum {string} */
                state: "attested" | "refused";
            }[];
        };
        /**
         * @example {
         *       "id": "0199f2a0-7777-7000-8000-000000000007",
         *       "state": "done",
         *       "acceptDuplicates": false,
         *       "progress": {
         *         "done": 1,
         *         "total": 1
         *       },
         *       "createdBy": {
         *         "id": "0199f2a0-4444-7000-8000-000000000004",
         *         "name": "officer"
         *       },
         *       "createdAt": "2026-03-02T09:00:00.000Z",
         *       "finishedAt": "2026-03-02T09:00:01.000Z",
         *       "report": [
         *         {
         *           "line": 2,
         *           "serial": "VSC-00042",
         *           "cardId": "0199f2a0-3333-7000-8000-000000000003",
         *           "code": null,
         *           "detail": null,
         *           "duplicate": false
         *         }
         *       ]
         *     }
         */
        CardImport: {
            acceptDuplicates: boolean;
            /** Format: date-time */
            createdAt: string;
            createdBy: components["schemas"]["OperatorRef"];
            /** Format: date-time */
            finishedAt: string | null;
            id: string;
            progress: {
                done: number;
                total: number;
            };
            /** @description Line by line, once it is known. */
            report: components["schemas"]["CardImportLine"][] | null;
            /**
             * @description checked: a dry run. Of one that is done all cards are there; of any other none is.
             * @enum {string}
             */
            state: "checked" | "proposed" | "done" | "refused";
        };
        /**
         * @description Text: CSV whose first line names the columns, or one JSON object a line.
         * @example serial,person,cardProfile,administratorKey
         *     VSC-00042,mary.major@example.com,minidriver-aes,eyJhbGciOi…
         */
        CardImportFile: unknown;
        /**
         * @example {
         *       "line": 2,
         *       "serial": "VSC-00042",
         *       "cardId": "0199f2a0-3333-7000-8000-000000000003",
         *       "code": null,
         *       "detail": null,
         *       "duplicate": false
         *     }
         */
        CardImportLine: {
            cardId: string | null;
            /** @description Why this card cannot be taken in. */
            code: string | null;
            detail: string | null;
            /** @description Another card has the same key. */
            duplicate: boolean;
            /** @description Of the file, from 1. */
            line: number;
            serial: string | null;
        };
        /**
         * @example {
         *       "items": [
         *         {
         *           "id": "0199f2a0-3333-7000-8000-000000000003",
         *           "serial": "CW-7K3M-92QF",
         *           "personId": "0199f2a0-1111-7000-8000-000000000001",
         *           "deviceId": "0199f2a0-2222-7000-8000-000000000002",
         *           "kind": "tpm",
         *           "algorithm": "hmac-sha256",
         *           "challengeMode": "ecb",
         *           "keyStrategy": "random-stored",
         *           "keyStrategyWarning": null,
         *           "algorithmWarning": null,
         *           "namedKey": null,
         *           "puk": "none",
         *           "keyVersion": 1,
         *           "keySetAt": "2026-03-02T09:00:05.000Z",
         *           "takeOverPending": false,
         *           "initialPinPending": false,
         *           "state": "active",
         *           "triesLeft": 5,
         *           "pinLimit": 5,
         *           "createdAt": "2026-03-02T09:00:00.000Z",
         *           "stateChangedAt": "2026-03-02T09:00:09.000Z",
         *           "person": {
         *             "id": "0199f2a0-1111-7000-8000-000000000001",
         *             "displayName": "Mary Major",
         *             "userPrincipalName": "mary.major@example.com"
         *           },
         *           "device": {
         *             "id": "0199f2a0-2222-7000-8000-000000000002",
         *             "hostName": "lap-0421"
         *           },
         *           "replaces": null,
         *           "replacedBy": null,
         *           "allowedActions": [
         *             {
         *               "action": "unblock",
         *               "allowed": true,
         *               "disabledReason": null
         *             }
         *           ]
         *         }
         *       ],
         *       "next": null
         *     }
         */
        CardList: {
            items: components["schemas"]["Card"][];
            /** @description Send it as `cursor`. */
            next: string | null;
        };
        /**
         * @example {
         *       "name": "tpm-default",
         *       "displayName": "TPM card, own key",
         *       "kind": "tpm",
         *       "algorithm": "hmac-sha256",
         *       "algorithmWarning": null,
         *       "challengeMode": "ecb",
         *       "keyStrategy": "random-stored",
         *       "keyStrategyWarning": null,
         *       "namedKey": null,
         *       "derivation": null,
         *       "puk": "none",
         *       "pinLimit": 5,
         *       "keyRotationDays": null,
         *       "attestation": "preferred",
         *       "selfServiceUnblock": false,
         *       "enrolmentMethods": [
         *         "code"
         *       ],
         *       "initialPin": "holder",
         *       "signerAssurance": "substantial",
         *       "pinPolicy": {
         *         "minLength": 6,
         *         "maxLength": 127,
         *         "uppercase": "allowed",
         *         "lowercase": "allowed",
         *         "digits": "allowed",
         *         "special": "allowed",
         *         "refuseSequences": false,
         *         "refuseRepeats": false,
         *         "refuseCommon": false
         *       },
         *       "containers": [
         *         {
         *           "container": "sign-in",
         *           "keyType": "ec-p256",
         *           "certificateProfile": "smart-card-sign-in"
         *         }
         *       ]
         *     }
         */
        CardProfile: {
            /**
             * @description Of the administrator key.
             * @enum {string}
             */
            algorithm: "tdes" | "aes-128" | "aes-192" | "aes-256" | "hmac-sha256";
            algorithmWarning: string | null;
            /**
             * @description Whether a device is to prove its TPM before a card is made in it.
             * @enum {string}
             */
            attestation: "required" | "preferred" | "off";
            /** @enum {string} */
            challengeMode: "ecb" | "cbc";
            containers: {
                certificateProfile: string;
                container: string;
                keyType: string;
                renewalDays?: number;
                /** @enum {string} */
                renewalKey?: "same" | "new";
                validitySeconds?: number;
            }[];
            /**
             * @description How the other fleet's keys follow from its master.
             * @enum {string|null}
             */
            derivation: "an10922" | "dogtag" | null;
            displayName: string;
            /** @description How a person may come to such a card: see the enrolments. */
            enrolmentMethods: ("code" | "on-behalf" | "existing-certificate" | "pre-provisioned")[];
            /**
             * @description holder: whoever has the code types it. supervised: the same, and an operator confirms that the person did. handed-over: nobody sees it; the person exchanges it for their own by a hand-over code.
             * @enum {string}
             */
            initialPin: "holder" | "supervised" | "handed-over";
            /** @description Administrator keys that are older are changed. */
            keyRotationDays: number | null;
            /** @enum {string} */
            keyStrategy: "uniform" | "random-not-stored" | "random-stored" | "deterministic";
            /** @description Why the strategy is unsafe. To be shown. */
            keyStrategyWarning: string | null;
            /** @enum {string} */
            kind: "tpm" | "minidriver";
            name: string;
            /** @description The uniform key, or the master of a fleet from elsewhere. */
            namedKey: string | null;
            /** @description Wrong PINs until the card blocks itself. */
            pinLimit: number;
            pinPolicy: {
                [key: string]: unknown;
            };
            /** @enum {string} */
            puk: "none" | "optional" | "required";
            /** @description Its holder may approve an unblock with another card. */
            selfServiceUnblock: boolean;
            /**
             * @description Least level of an existing certificate that signs for a new card.
             * @enum {string}
             */
            signerAssurance: "low" | "substantial" | "high";
        };
        /**
         * @example {
         *       "items": [
         *         {
         *           "name": "tpm-default",
         *           "displayName": "TPM card, own key",
         *           "kind": "tpm",
         *           "algorithm": "hmac-sha256",
         *           "algorithmWarning": null,
         *           "challengeMode": "ecb",
         *           "keyStrategy": "random-stored",
         *           "keyStrategyWarning": null,
         *           "namedKey": null,
         *           "derivation": null,
         *           "puk": "none",
         *           "pinLimit": 5,
         *           "keyRotationDays": null,
         *           "attestation": "preferred",
         *           "selfServiceUnblock": false,
         *           "enrolmentMethods": [
         *             "code"
         *           ],
         *           "initialPin": "holder",
         *           "signerAssurance": "substantial",
         *           "pinPolicy": {
         *             "minLength": 6,
         *             "maxLength": 127,
         *             "uppercase": "allowed",
         *             "lowercase": "allowed",
         *             "digits": "allowed",
         *             "special": "allowed",
         *             "refuseSequences": false,
         *             "refuseRepeats": false,
         *             "refuseCommon": false
         *           },
         *           "containers": [
         *             {
         *               "container": "sign-in",
         *               "keyType": "ec-p256",
         *               "certificateProfile": "smart-card-sign-in"
         *             }
         *           ]
         *         }
         *       ]
         *     }
         */
        CardProfileList: {
            items: components["schemas"]["CardProfile"][];
        };
        /**
         * @example {
         *       "id": "0199f2a0-3333-7000-8000-000000000003",
         *       "serial": "CW-7K3M-92QF"
         *     }
         */
        CardRef: {
            id: string;
            serial: string;
        };
        /**
         * @example {
         *       "id": "0199f2a0-5555-7000-8000-000000000005",
         *       "cardId": "0199f2a0-3333-7000-8000-000000000003",
         *       "deviceId": "0199f2a0-2222-7000-8000-000000000002",
         *       "personId": "0199f2a0-1111-7000-8000-000000000001",
         *       "container": "sign-in",
         *       "certificateProfile": "smart-card-sign-in",
         *       "certificateProfileVersion": 1,
         *       "authority": "embedded",
         *       "assurance": "substantial",
         *       "status": "active",
         *       "serialNumber": "5f0c3d9a1be24c7788aa10bb42cc93de",
         *       "thumbprint": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
         *       "publicKey": "76a09e41c5c71f01c4a3de42915be460866bffb499ae32268614c455bc449da2",
         *       "subject": "CN=Mary Major",
         *       "issuer": "CN=Cardwright Issuing CA",
         *       "notBefore": "2026-11-20T09:00:00.000Z",
         *       "notAfter": "2027-11-20T09:00:00.000Z",
         *       "certificate": "MIIB",
         *       "createdAt": "2026-11-20T09:00:00.000Z",
         *       "ignoredRequest": [
         *         "subject"
         *       ],
         *       "attestation": {
         *         "state": "attested",
         *         "code": null,
         *         "judgedAt": "2026-11-20T09:00:00.000Z"
         *       },
         *       "revocation": null,
         *       "openHold": null,
         *       "person": {
         *         "id": "0199f2a0-1111-7000-8000-000000000001",
         *         "displayName": "Mary Major",
         *         "userPrincipalName": "mary.major@example.com"
         *       },
         *       "device": {
         *         "id": "0199f2a0-2222-7000-8000-000000000002",
         *         "hostName": "lap-0421"
         *       },
         *       "card": {
         *         "id": "0199f2a0-3333-7000-8000-000000000003",
         *         "serial": "CW-7K3M-92QF"
         *       },
         *       "allowedActions": [
         *         {
         *           "action": "revoke",
         *           "allowed": true,
         *           "disabledReason": null
         *         }
         *       ]
         *     }
         */
        Certificate: {
            allowedActions: components["schemas"]["AllowedAction"][];
            /**
             * @description How sure the enrolment made it whose card this is.
             * @enum {string}
             */
            assurance: "none" | "low" | "substantial" | "high";
            /** @description Whether the device's TPM stated that the key is in it, and opened by this card's PIN alone. */
            attestation: {
                /** @description Why the evidence was refused. */
                code: string | null;
                /** Format: date-time */
                judgedAt: string | null;
                /** @enum {string} */
                state: "attested" | "unattested" | "refused";
            };
            /** @description The CA that issued it, and that revokes it. */
            authority: string;
            card: components["schemas"]["CardRef"];
            cardId: string;
            /**
             * Format: byte
             * @description DER.
             */
            certificate: string | null;
            /** @description Null: from the time before there were profiles. */
            certificateProfile: string | null;
            certificateProfileVersion: number | null;
            /** @description The key slot on the card. */
            container: string;
            /** Format: date-time */
            createdAt: string;
            device: components["schemas"]["DeviceRef"];
            deviceId: string;
            id: string;
            /** @description What the request asked for beyond its key. Names come from the records: none of it was taken. */
            ignoredRequest: string[];
            issuer: string | null;
            /** Format: date-time */
            notAfter: string | null;
            /** Format: date-time */
            notBefore: string | null;
            /**
             * @description Decided and recorded, and the CA is being told.
             * @enum {string|null}
             */
            openHold: "hold" | "release" | null;
            person: components["schemas"]["PersonRef"];
            personId: string;
            /** @description SHA-256 of the SubjectPublicKeyInfo, lower-case hex. */
            publicKey: string | null;
            revocation: {
                comment: string;
                /**
                 * Format: date-time
                 * @description Since when the certificate is not to be trusted.
                 */
                invalidityDate: string | null;
                /** @description Why the CA has not heard yet: it was away, or answered and would not. */
                lastError: {
                    code: string;
                    refused: boolean;
                } | null;
                /**
                 * Format: date-time
                 * @description When the CA is asked again; null once it has heard.
                 */
                nextAttemptAt: string | null;
                reason: string;
                requestedBy: components["schemas"]["OperatorRef"];
                /** Format: date-time */
                revokedAt: string;
                /**
                 * @description Confirmed once the CA has published it.
                 * @enum {string}
                 */
                state: "proposed" | "confirmed";
            } | null;
            /** @description Lower-case hex. */
            serialNumber: string | null;
            /** @enum {string} */
            status: "proposed" | "active" | "on-hold" | "revoked" | "expired" | "failed";
            subject: string | null;
            /** @description SHA-256 of the DER, lower-case hex. */
            thumbprint: string | null;
        };
        /**
         * @example {
         *       "name": "corp-cfssl",
         *       "kind": "cfssl",
         *       "configured": true,
         *       "profiles": [
         *         "tls-client",
         *         "smime-signature"
         *       ],
         *       "names": [
         *         "email",
         *         "dnsNames"
         *       ],
         *       "abilities": {
         *         "revocation": "immediate",
         *         "hold": false,
         *         "list": false,
         *         "crl": false
         *       },
         *       "health": {
         *         "state": "down",
         *         "since": "2026-11-20T09:00:00.000Z",
         *         "checkedAt": "2026-11-20T09:10:00.000Z",
         *         "error": {
         *           "code": "ca-unavailable",
         *           "detail": "The CA can not be reached, or is not who it should be."
         *         }
         *       },
         *       "pending": {
         *         "certificates": 3,
         *         "revocations": 1,
         *         "unwanted": 0
         *       }
         *     }
         */
        CertificateAuthority: {
            abilities: {
                crl: boolean;
                hold: boolean;
                list: boolean;
                /**
                 * @description by-hand: a person revokes at the CA, then says so by POST …/hand-revocations.
                 * @enum {string|null}
                 */
                revocation: "immediate" | "by-hand" | null;
            };
            /** @description False: work waits for a CA that the configuration no longer has. */
            configured: boolean;
            health: {
                /** Format: date-time */
                checkedAt: string | null;
                error: {
                    code: string;
                    detail: string;
                } | null;
                /** Format: date-time */
                since: string | null;
                /** @enum {string} */
                state: "up" | "down" | "unknown";
            };
            /** @enum {string|null} */
            kind: "embedded" | "cfssl" | "est" | "script" | null;
            /** @description What certificate profiles name it by. */
            name: string;
            /** @description What it can put into a certificate, beside the subject. */
            names: ("userPrincipalName" | "kerberosPrincipal" | "email" | "dnsNames" | "securityIdentifier")[];
            pending: {
                /** @description Asked for, and not issued yet. */
                certificates: number;
                /** @description Decided, and not confirmed by the CA yet. */
                revocations: number;
                /** @description Given by the CA, refused by us, not revoked there yet. */
                unwanted: number;
            };
            /** @description The certificate kinds it issues. */
            profiles: string[];
        };
        /**
         * @example {
         *       "items": [
         *         {
         *           "name": "corp-cfssl",
         *           "kind": "cfssl",
         *           "configured": true,
         *           "profiles": [
         *             "tls-client",
         *             "smime-signature"
         *           ],
         *           "names": [
         *             "email",
         *             "dnsNames"
         *           ],
         *           "abilities": {
         *             "revocation": "immediate",
         *             "hold": false,
         *             "list": false,
         *             "crl": false
         *           },
         *           "health": {
         *             "state": "down",
         *             "since": "2026-11-20T09:00:00.000Z",
         *             "checkedAt": "2026-11-20T09:10:00.000Z",
         *             "error": {
         *               "code": "ca-unavailable",
         *               "detail": "The CA can not be reached, or is not who it should be."
         *             }
         *           },
         *           "pending": {
         *             "certificates": 3,
         *             "revocations": 1,
         *             "unwanted": 0
         *           }
         *         }
         *       ]
         *     }
         */
        CertificateAuthorityList: {
            items: components["schemas"]["CertificateAuthority"][];
        };
        /**
         * @example {
         *       "items": [
         *         {
         *           "month": "2027-11",
         *           "count": 412,
         *           "profiles": [
         *             {
         *               "certificateProfile": "smart-card-sign-in",
         *               "count": 412
         *             }
         *           ]
         *         }
         *       ]
         *     }
         */
        CertificateExpiries: {
            items: {
                count: number;
                /** @description Of UTC. A month in which none ends is left out. */
                month: string;
                profiles: {
                    certificateProfile: string | null;
                    count: number;
                }[];
            }[];
        };
        /**
         * @example {
         *       "items": [
         *         {
         *           "number": 2,
         *           "since": "2026-11-20T09:00:00.120Z",
         *           "status": "active",
         *           "decision": null,
         *           "by": {
         *             "eventId": "4711",
         *             "action": "certificate.issued",
         *             "actor": {
         *               "kind": "device",
         *               "id": "0199f2a0-2222-7000-8000-000000000002",
         *               "name": "lap-0421"
         *             },
         *             "requestId": "0199f2a0-9999-7000-8000-000000000009",
         *             "reason": null,
         *             "ticket": null
         *           }
         *         }
         *       ],
         *       "next": null
         *     }
         */
        CertificateHistory: {
            items: components["schemas"]["CertificateState"][];
            /** @description Send it as `cursor`. */
            next: string | null;
        };
        /**
         * @example {
         *       "id": "0199f2a0-7777-7000-8000-000000000007",
         *       "certificateId": "0199f2a0-5555-7000-8000-000000000005",
         *       "act": "hold",
         *       "state": "confirmed",
         *       "comment": "Laptop not found at home",
         *       "ticket": "INC-20417",
         *       "takesEffectAt": "2026-11-20T09:30:00.000Z",
         *       "requestedBy": {
         *         "id": "0199f2a0-4444-7000-8000-000000000004",
         *         "name": "security-officer"
         *       },
         *       "requestId": "0199f2a0-9999-7000-8000-000000000009",
         *       "createdAt": "2026-11-20T09:30:00.000Z",
         *       "confirmedAt": "2026-11-20T09:30:00.120Z",
         *       "attempts": 0,
         *       "lastError": null,
         *       "nextAttemptAt": null
         *     }
         */
        CertificateHold: {
            /** @enum {string} */
            act: "hold" | "release";
            /** @description How often the CA was asked in vain. */
            attempts: number;
            certificateId: string;
            comment: string;
            /** Format: date-time */
            confirmedAt: string | null;
            /** Format: date-time */
            createdAt: string;
            id: string;
            /** @description Why the CA has not heard yet. */
            lastError: {
                code: string;
                detail: string;
                /** @description The CA answered and would not; otherwise it was away. */
                refused: boolean;
            } | null;
            /**
             * Format: date-time
             * @description When the CA is asked again; null once it has heard.
             */
            nextAttemptAt: string | null;
            requestedBy: components["schemas"]["OperatorRef"];
            requestId: string;
            /**
             * @description superseded: the certificate was revoked for ever before the CA had heard of it.
             * @enum {string}
             */
            state: "proposed" | "confirmed" | "superseded";
            /** Format: date-time */
            takesEffectAt: string;
            ticket: string | null;
        };
        /**
         * @example {
         *       "items": [
         *         {
         *           "id": "0199f2a0-7777-7000-8000-000000000007",
         *           "certificateId": "0199f2a0-5555-7000-8000-000000000005",
         *           "act": "hold",
         *           "state": "confirmed",
         *           "comment": "Laptop not found at home",
         *           "ticket": "INC-20417",
         *           "takesEffectAt": "2026-11-20T09:30:00.000Z",
         *           "requestedBy": {
         *             "id": "0199f2a0-4444-7000-8000-000000000004",
         *             "name": "security-officer"
         *           },
         *           "requestId": "0199f2a0-9999-7000-8000-000000000009",
         *           "createdAt": "2026-11-20T09:30:00.000Z",
         *           "confirmedAt": "2026-11-20T09:30:00.120Z",
         *           "attempts": 0,
         *           "lastError": null,
         *           "nextAttemptAt": null
         *         }
         *       ]
         *     }
         */
        CertificateHoldList: {
            items: components["schemas"]["CertificateHold"][];
        };
        /**
         * @example {
         *       "items": [
         *         {
         *           "id": "0199f2a0-5555-7000-8000-000000000005",
         *           "cardId": "0199f2a0-3333-7000-8000-000000000003",
         *           "deviceId": "0199f2a0-2222-7000-8000-000000000002",
         *           "personId": "0199f2a0-1111-7000-8000-000000000001",
         *           "container": "sign-in",
         *           "certificateProfile": "smart-card-sign-in",
         *           "certificateProfileVersion": 1,
         *           "authority": "embedded",
         *           "assurance": "substantial",
         *           "status": "active",
         *           "serialNumber": "5f0c3d9a1be24c7788aa10bb42cc93de",
         *           "thumbprint": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
         *           "publicKey": "76a09e41c5c71f01c4a3de42915be460866bffb499ae32268614c455bc449da2",
         *           "subject": "CN=Mary Major",
         *           "issuer": "CN=Cardwright Issuing CA",
         *           "notBefore": "2026-11-20T09:00:00.000Z",
         *           "notAfter": "2027-11-20T09:00:00.000Z",
         *           "certificate": "MIIB",
         *           "createdAt": "2026-11-20T09:00:00.000Z",
         *           "ignoredRequest": [
         *             "subject"
         *           ],
         *           "attestation": {
         *             "state": "attested",
         *             "code": null,
         *             "judgedAt": "2026-11-20T09:00:00.000Z"
         *           },
         *           "revocation": null,
         *           "openHold": null,
         *           "person": {
         *             "id": "0199f2a0-1111-7000-8000-000000000001",
         *             "displayName": "Mary Major",
         *             "userPrincipalName": "mary.major@example.com"
         *           },
         *           "device": {
         *             "id": "0199f2a0-2222-7000-8000-000000000002",
         *             "hostName": "lap-0421"
         *           },
         *           "card": {
         *             "id": "0199f2a0-3333-7000-8000-000000000003",
         *             "serial": "CW-7K3M-92QF"
         *           },
         *           "allowedActions": [
         *             {
         *               "action": "revoke",
         *               "allowed": true,
         *               "disabledReason": null
         *             }
         *           ]
         *         }
         *       ],
         *       "next": null
         *     }
         */
        CertificateList: {
            items: components["schemas"]["Certificate"][];
            /** @description Send it as `cursor`. */
            next: string | null;
        };
        /**
         * @example {
         *       "subject": "CN=Mary Major",
         *       "subjectAltName": [
         *         "UPN:mary.major@example.com",
         *         "KRB5PrincipalName:mary.major@EXAMPLE.COM"
         *       ],
         *       "securityIdentifier": "S-1-5-21-3623811015-3361044348-30300820-1013",
         *       "keyUsage": {
         *         "rsa": [
         *           "digitalSignature"
         *         ],
         *         "ec": [
         *           "digitalSignature"
         *         ]
         *       },
         *       "extendedKeyUsage": [
         *         "1.3.6.1.5.5.7.3.2",
         *         "1.3.6.1.4.1.311.20.2.2",
         *         "1.3.6.1.5.2.3.4"
         *       ],
         *       "notBefore": "2026-11-20T09:00:00.000Z",
         *       "notAfter": "2027-11-20T09:00:00.000Z",
         *       "renewableFrom": "2027-10-21T09:00:00.000Z"
         *     }
         */
        CertificatePreview: {
            /** @description Object identifiers. */
            extendedKeyUsage: string[];
            /** @description By the type of the key. */
            keyUsage: {
                ec: string[];
                rsa: string[];
            };
            /** Format: date-time */
            notAfter: string;
            /** Format: date-time */
            notBefore: string;
            /** Format: date-time */
            renewableFrom: string;
            securityIdentifier: string | null;
            subject: string;
            subjectAltName: string[];
        };
        /**
         * @example {
         *       "profile": {
         *         "name": "sign-in-strong",
         *         "kind": "smart-card-sign-in",
         *         "displayName": "Smart card sign-in",
         *         "authority": "embedded",
         *         "keyTypes": [
         *           "ec-p256",
         *           "rsa-2048"
         *         ],
         *         "validitySeconds": 31536000,
         *         "renewalDays": 30,
         *         "renewalKey": "same",
         *         "maxKeyAgeDays": 1095,
         *         "attestation": null,
         *         "containerDefault": "sign-in",
         *         "people": {
         *           "domains": [
         *             "example.com"
         *           ]
         *         },
         *         "names": {
         *           "userPrincipalName": true,
         *           "kerberosPrincipal": true,
         *           "email": "if-any",
         *           "securityIdentifier": true,
         *           "organization": false
         *         }
         *       },
         *       "personId": "0199f2a0-1111-7000-8000-000000000001"
         *     }
         */
        CertificatePreviewRequest: {
            /** @description Of kind device: the name of the device. */
            hostName?: string;
            /**
             * Format: uuid
             * @description For whom.
             */
            personId: string;
            profile: components["schemas"]["NewCertificateProfile"];
        };
        /**
         * @example {
         *       "name": "sign-in-strong",
         *       "kind": "smart-card-sign-in",
         *       "displayName": "Smart card sign-in",
         *       "authority": "embedded",
         *       "keyTypes": [
         *         "ec-p256",
         *         "rsa-2048"
         *       ],
         *       "validitySeconds": 31536000,
         *       "renewalDays": 30,
         *       "renewalKey": "same",
         *       "maxKeyAgeDays": 1095,
         *       "attestation": null,
         *       "containerDefault": "sign-in",
         *       "people": {
         *         "domains": [
         *           "example.com"
         *         ]
         *       },
         *       "names": {
         *         "userPrincipalName": true,
         *         "kerberosPrincipal": true,
         *         "email": "if-any",
         *         "securityIdentifier": true,
         *         "organization": false
         *       },
         *       "version": 1,
         *       "createdAt": "2026-11-20T09:00:00.000Z",
         *       "createdBy": {
         *         "id": "0199f2a0-4444-7000-8000-000000000004",
         *         "name": "security-officer"
         *       }
         *     }
         */
        CertificateProfile: {
            /** @enum {string|null} */
            attestation: "required" | "preferred" | "off" | null;
            authority: string;
            containerDefault: string | null;
            /** Format: date-time */
            createdAt: string;
            createdBy: components["schemas"]["OperatorRef"];
            displayName: string;
            keyTypes: string[];
            /** @enum {string} */
            kind: "smart-card-sign-in" | "tls-client" | "smime-signature" | "smime-encryption" | "document-signature" | "volume-encryption" | "device";
            maxKeyAgeDays: number | null;
            name: string;
            /** @description Which names of the directory's record stand in the certificate. Those of the request never do. */
            names: {
                /** @enum {string} */
                email: "none" | "if-any" | "required";
                /** @description The person's own; else what follows from the user principal name, its realm in upper case. */
                kerberosPrincipal: boolean;
                organization: boolean;
                /** @description The SID extension (1.3.6.1.4.1.311.25.2), if the person has one. */
                securityIdentifier: boolean;
                userPrincipalName: boolean;
            };
            /** @description Who may have one: all that is said has to fit. */
            people: {
                /** @description After the @ of the user principal name. */
                domains?: string[];
                organizations?: string[];
            } | null;
            renewalDays: number | null;
            /** @enum {string} */
            renewalKey: "same" | "new";
            validitySeconds: number;
            /** @description Every save makes a new one; the newest counts. */
            version: number;
        };
        /**
         * @example {
         *       "items": [
         *         {
         *           "name": "sign-in-strong",
         *           "kind": "smart-card-sign-in",
         *           "displayName": "Smart card sign-in",
         *           "authority": "embedded",
         *           "keyTypes": [
         *             "ec-p256",
         *             "rsa-2048"
         *           ],
         *           "validitySeconds": 31536000,
         *           "renewalDays": 30,
         *           "renewalKey": "same",
         *           "maxKeyAgeDays": 1095,
         *           "attestation": null,
         *           "containerDefault": "sign-in",
         *           "people": {
         *             "domains": [
         *               "example.com"
         *             ]
         *           },
         *           "names": {
         *             "userPrincipalName": true,
         *             "kerberosPrincipal": true,
         *             "email": "if-any",
         *             "securityIdentifier": true,
         *             "organization": false
         *           },
         *           "version": 1,
         *           "createdAt": "2026-11-20T09:00:00.000Z",
         *           "createdBy": {
         *             "id": "0199f2a0-4444-7000-8000-000000000004",
         *             "name": "security-officer"
         *           }
         *         }
         *       ]
         *     }
         */
        CertificateProfileList: {
            items: components["schemas"]["CertificateProfile"][];
        };
        /**
         * @example {
         *       "number": 2,
         *       "since": "2026-11-20T09:00:00.120Z",
         *       "status": "active",
         *       "decision": null,
         *       "by": {
         *         "eventId": "4711",
         *         "action": "certificate.issued",
         *         "actor": {
         *           "kind": "device",
         *           "id": "0199f2a0-2222-7000-8000-000000000002",
         *           "name": "lap-0421"
         *         },
         *         "requestId": "0199f2a0-9999-7000-8000-000000000009",
         *         "reason": null,
         *         "ticket": null
         *       }
         *     }
         */
        CertificateState: {
            /** @description Null for what happened before this history was kept. */
            by: {
                action: string;
                actor: {
                    id: string;
                    kind: string;
                    name: string;
                };
                /** @description In the audit log. */
                eventId: string;
                reason: string | null;
                requestId: string;
                ticket: string | null;
            } | null;
            /** @description The last one to revoke, to hold or to release. */
            decision: {
                /** Format: date-time */
                effectiveAt: string;
                /** @description RFC 5280 section 5.3.1; removeFromCRL: released from a hold. */
                reason: string;
                /**
                 * @description confirmed: the CA has it.
                 * @enum {string}
                 */
                state: "proposed" | "confirmed" | "superseded";
            } | null;
            /** @description 1, 2, 3 … without gaps. */
            number: number;
            /** Format: date-time */
            since: string;
            /** @enum {string} */
            status: "proposed" | "active" | "on-hold" | "revoked" | "failed";
        };
        /**
         * @description What is left out becomes what is usual, as in a new profile.
         * @example {
         *       "displayName": "TPM card, own key",
         *       "pinLimit": 5,
         *       "pinPolicy": {
         *         "minLength": 8
         *       },
         *       "attestation": "required",
         *       "selfServiceUnblock": true,
         *       "containers": [
         *         {
         *           "container": "sign-in",
         *           "keyType": "rsa-2048",
         *           "certificateProfile": "smart-card-sign-in"
         *         },
         *         {
         *           "container": "signature",
         *           "keyType": "ec-p256",
         *           "certificateProfile": "smime-signature",
         *           "renewalKey": "new"
         *         }
         *       ],
         *       "reason": "Policy of 2026"
         *     }
         */
        ChangedCardProfile: {
            /**
             * @description TPM cards only.
             * @enum {string}
             */
            attestation?: "required" | "preferred" | "off";
            /** @description TPM cards only: the keys that are made on each card. */
            containers?: {
                certificateProfile: string;
                container: string;
                /** @enum {string} */
                keyType: "ec-p256" | "ec-p384" | "rsa-2048" | "rsa-3072";
                /** @description Days before its end from which it is renewed. Left out: as the certificate profile has it. */
                renewalDays?: number;
                /**
                 * @description new: a new key each time, for which its holder gives the PIN.
                 * @enum {string}
                 */
                renewalKey?: "same" | "new";
                /** @description Shorter than what the certificate profile gives. Left out: as long. */
                validitySeconds?: number;
            }[];
            displayName: string;
            /** @description How a person may come to such a card: see the enrolments. */
            enrolmentMethods?: ("code" | "on-behalf" | "existing-certificate" | "pre-provisioned")[];
            /**
             * @description holder: whoever has the code types it. supervised: the same, and an operator confirms that the person did. handed-over: nobody sees it; the person exchanges it for their own by a hand-over code.
             * @enum {string}
             */
            initialPin?: "holder" | "supervised" | "handed-over";
            /** @description TPM cards only: wrong PINs until the card blocks itself. */
            pinLimit?: number;
            /** @description TPM cards only. What is left out: 6 to 127 characters of any kind; sequences, repeats and common PINs are refused. */
            pinPolicy?: {
                /** @enum {string} */
                digits?: "allowed" | "required" | "disallowed";
                /** @enum {string} */
                lowercase?: "allowed" | "required" | "disallowed";
                maxLength?: number;
                minLength?: number;
                /** @description What many people choose. */
                refuseCommon?: boolean;
                /** @description 111111, 121212, 123123 and the like. */
                refuseRepeats?: boolean;
                /** @description 123456, abcdef and the like. */
                refuseSequences?: boolean;
                /** @enum {string} */
                special?: "allowed" | "required" | "disallowed";
                /** @enum {string} */
                uppercase?: "allowed" | "required" | "disallowed";
            };
            /**
             * @description Why. Kept in the audit log.
             * @example Caller forgot the PIN
             */
            reason: string;
            /** @description TPM cards only: the holder may approve an unblock of such a card with another card and its PIN, without an operator. False if left out. */
            selfServiceUnblock?: boolean;
            /**
             * @description Least level of an existing certificate that signs for a new card.
             * @enum {string}
             */
            signerAssurance?: "low" | "substantial" | "high";
        };
        /**
         * @example {
         *       "displayName": "Smart card sign-in",
         *       "authority": "embedded",
         *       "keyTypes": [
         *         "ec-p256",
         *         "rsa-2048"
         *       ],
         *       "validitySeconds": 31536000,
         *       "renewalDays": 30,
         *       "renewalKey": "same",
         *       "maxKeyAgeDays": 1095,
         *       "attestation": null,
         *       "containerDefault": "sign-in",
         *       "people": {
         *         "domains": [
         *           "example.com"
         *         ]
         *       },
         *       "names": {
         *         "userPrincipalName": true,
         *         "kerberosPrincipal": true,
         *         "email": "if-any",
         *         "securityIdentifier": true,
         *         "organization": false
         *       },
         *       "reason": "Policy of 2026"
         *     }
         */
        ChangedCertificateProfile: {
            /**
             * @description Null: as the card profile has it.
             * @enum {string|null}
             */
            attestation?: "required" | "preferred" | "off" | null;
            /** @description The CA that issues. `embedded` if left out. */
            authority?: string;
            containerDefault?: string | null;
            displayName: string;
            keyTypes: ("ec-p256" | "ec-p384" | "rsa-2048" | "rsa-3072")[];
            /** @description An older key gets no further certificate. */
            maxKeyAgeDays?: number | null;
            /** @description Which names of the directory's record stand in the certificate. Those of the request never do. */
            names: {
                /** @enum {string} */
                email: "none" | "if-any" | "required";
                /** @description The person's own; else what follows from the user principal name, its realm in upper case. */
                kerberosPrincipal: boolean;
                organization: boolean;
                /** @description The SID extension (1.3.6.1.4.1.311.25.2), if the person has one. */
                securityIdentifier: boolean;
                userPrincipalName: boolean;
            };
            /** @description Who may have one: all that is said has to fit. */
            people?: {
                /** @description After the @ of the user principal name. */
                domains?: string[];
                organizations?: string[];
            } | null;
            /** @description Why. Kept in the audit log. */
            reason: string;
            /** @description Days before its end. Null: 30, or a third of its life. */
            renewalDays?: number | null;
            /**
             * @description new: a new key with each certificate.
             * @enum {string}
             */
            renewalKey?: "same" | "new";
            validitySeconds: number;
        };
        /**
         * @example {
         *       "person": {
         *         "id": "0199f2a0-1111-7000-8000-000000000001",
         *         "displayName": "Mary Major",
         *         "userPrincipalName": "mary.major@example.com",
         *         "email": "mary.major@example.com",
         *         "organization": "Example Ltd",
         *         "securityIdentifier": "S-1-5-21-3623811015-3361044348-30300820-1013",
         *         "kerberosPrincipal": null,
         *         "createdAt": "2026-03-02T09:00:00.000Z"
         *       },
         *       "certificatesWithOtherNames": [
         *         "0199f2a0-5555-7000-8000-000000000005"
         *       ]
         *     }
         */
        ChangedPerson: {
            /** @description Certificates of the person in force that say other names. A change does not touch them: reissue them. */
            certificatesWithOtherNames: string[];
            person: components["schemas"]["Person"];
        };
        /**
         * @example {
         *       "cards": [
         *         {
         *           "cardId": "0199f2a0-3333-7000-8000-000000000003",
         *           "state": "active"
         *         }
         *       ],
         *       "tasks": [],
         *       "nextCheckInSeconds": 900
         *     }
         */
        CheckIn: {
            cards: {
                cardId: string;
                state: string;
            }[];
            /** @description When to check in next, give or take some. */
            nextCheckInSeconds: number;
            /** @description To be done in this order. Given again until reported. */
            tasks: components["schemas"]["AgentTask"][];
        };
        /**
         * @example {
         *       "enrolmentId": "0199f2a0-7777-7000-8000-000000000007",
         *       "state": "claimed",
         *       "cardId": "0199f2a0-3333-7000-8000-000000000003",
         *       "cardSerial": "CW-7K3M-92QF",
         *       "deviceId": "0199f2a0-2222-7000-8000-000000000002",
         *       "person": {
         *         "displayName": "Mary Major",
         *         "userPrincipalName": "mary.major@example.com"
         *       },
         *       "method": "code",
         *       "initialPin": "holder",
         *       "handOver": null,
         *       "profile": {
         *         "pinLimit": 5,
         *         "pinPolicy": {
         *           "minLength": 6,
         *           "maxLength": 127
         *         },
         *         "containers": [
         *           {
         *             "container": "sign-in",
         *             "keyType": "ec-p256"
         *           }
         *         ],
         *         "attestation": "preferred"
         *       },
         *       "serverTime": "2026-11-20T09:00:00.000Z"
         *     }
         */
        Claim: {
            cardId: string;
            cardSerial: string;
            deviceId: string;
            enrolmentId: string;
            handOver: {
                /**
                 * Format: byte
                 * @description X25519: what a first PIN that nobody sees is sealed to.
                 */
                publicKey: string;
                /**
                 * Format: byte
                 * @description With it the other half follows from the hand-over code.
                 */
                salt: string;
            } | null;
            /** @enum {string} */
            initialPin: "holder" | "supervised" | "handed-over";
            /** @enum {string} */
            method: "code" | "on-behalf" | "existing-certificate" | "pre-provisioned";
            person: {
                displayName: string;
                userPrincipalName: string;
            };
            profile: {
                /**
                 * @description Whether the device is to prove its TPM.
                 * @enum {string}
                 */
                attestation: "required" | "preferred" | "off";
                containers: {
                    container: string;
                    /** @description ec-p256, ec-p384, rsa-2048 or rsa-3072. */
                    keyType: string;
                }[];
                pinLimit: number;
                pinPolicy: {
                    [key: string]: unknown;
                };
            };
            /** Format: date-time */
            serverTime: string;
            /** @enum {string} */
            state: "claimed" | "completed";
        };
        /**
         * @example {
         *       "enrolment": {
         *         "id": "0199f2a0-7777-7000-8000-000000000007",
         *         "personId": "0199f2a0-1111-7000-8000-000000000001",
         *         "cardProfile": "tpm-default",
         *         "method": "code",
         *         "initialPin": "holder",
         *         "initialPinState": "holder",
         *         "replacesCardId": null,
         *         "state": "open",
         *         "expiresAt": "2026-11-21T09:00:00.000Z",
         *         "createdAt": "2026-11-20T09:00:00.000Z",
         *         "createdBy": {
         *           "id": "0199f2a0-4444-7000-8000-000000000004",
         *           "name": "helpdesk"
         *         },
         *         "cardId": null,
         *         "deviceId": null,
         *         "allowedActions": [
         *           {
         *             "action": "cancel",
         *             "allowed": true,
         *             "disabledReason": null
         *           }
         *         ]
         *       },
         *       "code": "7K3M-92QF-XD4T",
         *       "handOverCode": null
         *     }
         */
        CreatedEnrolment: {
            /** @description Shown once. Case, spacing, O for 0 and I or L for 1 are forgiven. */
            code: string;
            enrolment: components["schemas"]["Enrolment"];
            /** @description Shown once, where a first PIN is handed over: for the person, in another way than the device goes. It opens the PIN, and nothing else does. */
            handOverCode: string | null;
        };
        /**
         * @example {
         *       "state": "destroyed"
         *     }
         */
        Destruction: {
            /** @enum {string} */
            state: "destroyed";
        };
        /**
         * @example {
         *       "id": "0199f2a0-2222-7000-8000-000000000002",
         *       "hostName": "lap-0421",
         *       "platform": "linux-x64",
         *       "tpm": {
         *         "manufacturer": "IFX",
         *         "firmware": "7.85",
         *         "revision": "1.59"
         *       },
         *       "createdAt": "2026-03-02T09:00:00.000Z",
         *       "lastSeenAt": "2026-03-02T09:14:00.000Z",
         *       "checkedInAt": "2026-03-02T09:14:00.000Z",
         *       "agentVersion": "0.1.0",
         *       "attestation": {
         *         "manufacturer": "id:49465800",
         *         "model": "SLB9672",
         *         "firmware": "id:0F150A00",
         *         "certificateDigest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
         *         "attestationKeyName": "000be64e3dc75cf71cda9c09c306ba2bc164c4df33097571b554ba028713a5d1dae6",
         *         "attestedAt": "2026-03-02T09:00:00.000Z",
         *         "tpmChangedAt": null
         *       }
         *     }
         */
        Device: {
            /** @description As of the last check-in. */
            agentVersion: string | null;
            /** @description Which TPM it was proven to be, by its maker's certificate. */
            attestation: {
                /** @description Name of the key by which it signs in, hex. */
                attestationKeyName: string;
                /** Format: date-time */
                attestedAt: string;
                /** @description SHA-256 of the endorsement key certificate, hex. */
                certificateDigest: string;
                firmware: string;
                manufacturer: string;
                model: string;
                /**
                 * Format: date-time
                 * @description When another TPM last spoke in its name.
                 */
                tpmChangedAt: string | null;
            } | null;
            /**
             * Format: date-time
             * @description The agent's last check-in.
             */
            checkedInAt: string | null;
            /** Format: date-time */
            createdAt: string;
            hostName: string;
            id: string;
            /** Format: date-time */
            lastSeenAt: string | null;
            platform: string;
            tpm: {
                firmware: string;
                manufacturer: string;
                revision: string;
            } | null;
        };
        /**
         * @example {
         *       "accessToken": "4wI0uGgZQ1yUQm3hX0m0y0S2m7G2qv4bq2e1x4n6T8k",
         *       "tokenType": "Bearer",
         *       "expiresInSeconds": 600,
         *       "deviceId": "0199f2a0-2222-7000-8000-000000000002"
         *     }
         */
        DeviceAccessToken: {
            accessToken: string;
            deviceId: string;
            expiresInSeconds: number;
            /** @enum {string} */
            tokenType: "Bearer";
        };
        /**
         * @example {
         *       "state": "attested",
         *       "deviceId": "0199f2a0-2222-7000-8000-000000000002",
         *       "attestationKeyName": "000be64e3dc7"
         *     }
         */
        DeviceAttested: {
            /** @description Hex. */
            attestationKeyName: string;
            deviceId: string;
            /** @enum {string} */
            state: "attested";
        };
        /**
         * @example {
         *       "items": [
         *         {
         *           "cardId": "0199f2a0-3333-7000-8000-000000000003",
         *           "cardSerial": "CW-7K3M-92QF",
         *           "state": "active",
         *           "person": {
         *             "displayName": "Mary Major",
         *             "userPrincipalName": "mary.major@example.com"
         *           }
         *         }
         *       ]
         *     }
         */
        DeviceCards: {
            items: {
                cardId: string;
                cardSerial: string;
                person: {
                    displayName: string;
                    userPrincipalName: string;
                };
                state: string;
            }[];
        };
        /**
         * @example {
         *       "id": "0199f2a0-2222-7000-8000-000000000002",
         *       "hostName": "lap-0421",
         *       "platform": "linux-x64",
         *       "tpm": {
         *         "manufacturer": "IFX",
         *         "firmware": "7.85",
         *         "revision": "1.59"
         *       },
         *       "createdAt": "2026-03-02T09:00:00.000Z",
         *       "lastSeenAt": "2026-03-02T09:14:00.000Z",
         *       "checkedInAt": "2026-03-02T09:14:00.000Z",
         *       "agentVersion": "0.1.0",
         *       "attestation": {
         *         "manufacturer": "id:49465800",
         *         "model": "SLB9672",
         *         "firmware": "id:0F150A00",
         *         "certificateDigest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
         *         "attestationKeyName": "000be64e3dc75cf71cda9c09c306ba2bc164c4df33097571b554ba028713a5d1dae6",
         *         "attestedAt": "2026-03-02T09:00:00.000Z",
         *         "tpmChangedAt": null
         *       },
         *       "report": {
         *         "level": "warning",
         *         "agentVersion": "0.1.0",
         *         "checkedAt": "2026-03-02T09:13:58.000Z",
         *         "receivedAt": "2026-03-02T09:14:00.000Z",
         *         "tpm": {
         *           "manufacturer": "IFX",
         *           "firmware": "7.85.4555.0",
         *           "revision": "1.59"
         *         },
         *         "findings": [
         *           {
         *             "check": "pin-index",
         *             "level": "ok",
         *             "message": "A PIN index was made and removed again.",
         *             "advice": null
         *           },
         *           {
         *             "check": "endorsement-certificate",
         *             "level": "warning",
         *             "message": "The TPM holds no certificate of its maker: it can't prove that it is one.",
         *             "advice": "Some makers publish it (tpm2_getekcertificate). Profiles that require attestation refuse this device."
         *           }
         *         ]
         *       }
         *     }
         */
        DeviceDetail: {
            /** @description As of the last check-in. */
            agentVersion: string | null;
            /** @description Which TPM it was proven to be, by its maker's certificate. */
            attestation: {
                /** @description Name of the key by which it signs in, hex. */
                attestationKeyName: string;
                /** Format: date-time */
                attestedAt: string;
                /** @description SHA-256 of the endorsement key certificate, hex. */
                certificateDigest: string;
                firmware: string;
                manufacturer: string;
                model: string;
                /**
                 * Format: date-time
                 * @description When another TPM last spoke in its name.
                 */
                tpmChangedAt: string | null;
            } | null;
            /**
             * Format: date-time
             * @description The agent's last check-in.
             */
            checkedInAt: string | null;
            /** Format: date-time */
            createdAt: string;
            hostName: string;
            id: string;
            /** Format: date-time */
            lastSeenAt: string | null;
            platform: string;
            report: components["schemas"]["DeviceReport"] | null;
            tpm: {
                firmware: string;
                manufacturer: string;
                revision: string;
            } | null;
        };
        /**
         * @example {
         *       "items": [
         *         {
         *           "id": "0199f2a0-2222-7000-8000-000000000002",
         *           "hostName": "lap-0421",
         *           "platform": "linux-x64",
         *           "tpm": {
         *             "manufacturer": "IFX",
         *             "firmware": "7.85",
         *             "revision": "1.59"
         *           },
         *           "createdAt": "2026-03-02T09:00:00.000Z",
         *           "lastSeenAt": "2026-03-02T09:14:00.000Z",
         *           "checkedInAt": "2026-03-02T09:14:00.000Z",
         *           "agentVersion": "0.1.0",
         *           "attestation": {
         *             "manufacturer": "id:49465800",
         *             "model": "SLB9672",
         *             "firmware": "id:0F150A00",
         *             "certificateDigest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
         *             "attestationKeyName": "000be64e3dc75cf71cda9c09c306ba2bc164c4df33097571b554ba028713a5d1dae6",
         *             "attestedAt": "2026-03-02T09:00:00.000Z",
         *             "tpmChangedAt": null
         *           }
         *         }
         *       ],
         *       "next": null
         *     }
         */
        DeviceList: {
            items: components["schemas"]["Device"][];
            /** @description Send it as `cursor`. */
            next: string | null;
        };
        /**
         * @example {
         *       "id": "0199f2a0-2222-7000-8000-000000000002",
         *       "hostName": "lap-0421"
         *     }
         */
        DeviceRef: {
            hostName: string;
            id: string;
        };
        /**
         * @description How ready for cards the device found itself: its own word (`cardwright-agent doctor`).
         * @example {
         *       "level": "warning",
         *       "agentVersion": "0.1.0",
         *       "checkedAt": "2026-03-02T09:13:58.000Z",
         *       "receivedAt": "2026-03-02T09:14:00.000Z",
         *       "tpm": {
         *         "manufacturer": "IFX",
         *         "firmware": "7.85.4555.0",
         *         "revision": "1.59"
         *       },
         *       "findings": [
         *         {
         *           "check": "pin-index",
         *           "level": "ok",
         *           "message": "A PIN index was made and removed again.",
         *           "advice": null
         *         },
         *         {
         *           "check": "endorsement-certificate",
         *           "level": "warning",
         *           "message": "The TPM holds no certificate of its maker: it can't prove that it is one.",
         *           "advice": "Some makers publish it (tpm2_getekcertificate). Profiles that require attestation refuse this device."
         *         }
         *       ]
         *     }
         */
        DeviceReport: {
            agentVersion: string;
            /**
             * Format: date-time
             * @description By the device's clock.
             */
            checkedAt: string;
            findings: {
                advice: string | null;
                check: string;
                /** @enum {string} */
                level: "ok" | "warning" | "problem";
                message: string;
            }[];
            /**
             * @description The worst of the findings.
             * @enum {string}
             */
            level: "ok" | "warning" | "problem";
            /** Format: date-time */
            receivedAt: string;
            tpm: {
                firmware: string;
                manufacturer: string;
                revision: string;
            } | null;
        };
        /**
         * @example {
         *       "level": "warning"
         *     }
         */
        DeviceReportTaken: {
            /** @enum {string} */
            level: "ok" | "warning" | "problem";
        };
        /**
         * @example {
         *       "id": "0199f2a0-7777-7000-8000-000000000007",
         *       "personId": "0199f2a0-1111-7000-8000-000000000001",
         *       "cardProfile": "tpm-default",
         *       "method": "code",
         *       "initialPin": "holder",
         *       "initialPinState": "holder",
         *       "replacesCardId": null,
         *       "state": "open",
         *       "expiresAt": "2026-11-21T09:00:00.000Z",
         *       "createdAt": "2026-11-20T09:00:00.000Z",
         *       "createdBy": {
         *         "id": "0199f2a0-4444-7000-8000-000000000004",
         *         "name": "helpdesk"
         *       },
         *       "cardId": null,
         *       "deviceId": null,
         *       "allowedActions": [
         *         {
         *           "action": "cancel",
         *           "allowed": true,
         *           "disabledReason": null
         *         }
         *       ]
         *     }
         */
        Enrolment: {
            allowedActions: components["schemas"]["AllowedAction"][];
            cardId: string | null;
            cardProfile: string;
            /** Format: date-time */
            createdAt: string;
            createdBy: components["schemas"]["OperatorRef"];
            deviceId: string | null;
            /**
             * Format: date-time
             * @description Until when the code can be claimed.
             */
            expiresAt: string;
            id: string;
            /** @enum {string} */
            initialPin: "holder" | "supervised" | "handed-over";
            /**
             * @description Of a supervised one: not-set, to-confirm, confirmed. Of one that is handed over: sealed, until its holder has exchanged it: handed-over.
             * @enum {string}
             */
            initialPinState: "holder" | "not-set" | "to-confirm" | "confirmed" | "sealed" | "handed-over";
            /**
             * @description How it is known that whoever has the code is the person.
             * @enum {string}
             */
            method: "code" | "on-behalf" | "existing-certificate" | "pre-provisioned";
            personId: string;
            /** @description Of a reissue: the card whose place the new one takes. */
            replacesCardId: string | null;
            /**
             * @description expired: nobody used the code in time.
             * @enum {string}
             */
            state: "open" | "claimed" | "completed" | "cancelled" | "expired";
        };
        /**
         * @example {
         *       "state": "completed"
         *     }
         */
        EnrolmentCompletion: {
            /** @enum {string} */
            state: "completed";
        };
        /**
         * @example {
         *       "items": [
         *         {
         *           "id": "0199f2a0-7777-7000-8000-000000000007",
         *           "personId": "0199f2a0-1111-7000-8000-000000000001",
         *           "cardProfile": "tpm-default",
         *           "method": "code",
         *           "initialPin": "holder",
         *           "initialPinState": "holder",
         *           "replacesCardId": null,
         *           "state": "open",
         *           "expiresAt": "2026-11-21T09:00:00.000Z",
         *           "createdAt": "2026-11-20T09:00:00.000Z",
         *           "createdBy": {
         *             "id": "0199f2a0-4444-7000-8000-000000000004",
         *             "name": "helpdesk"
         *           },
         *           "cardId": null,
         *           "deviceId": null,
         *           "allowedActions": [
         *             {
         *               "action": "cancel",
         *               "allowed": true,
         *               "disabledReason": null
         *             }
         *           ]
         *         }
         *       ],
         *       "next": null
         *     }
         */
        EnrolmentList: {
            items: components["schemas"]["Enrolment"][];
            /** @description Send it as `cursor`. */
            next: string | null;
        };
        /**
         * @example {
         *       "nonce": "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k=",
         *       "expiresAt": "2026-11-20T09:05:00.000Z"
         *     }
         */
        EnrolmentProofNonce: {
            /**
             * Format: date-time
             * @description Until when the signature is taken.
             */
            expiresAt: string;
            /**
             * Format: byte
             * @description Part of what is signed.
             */
            nonce: string;
        };
        /**
         * @example {
         *       "items": [
         *         {
         *           "id": "0199f2a0-9999-7000-8000-000000000009",
         *           "enrolmentId": "0199f2a0-7777-7000-8000-000000000007",
         *           "kind": "identity",
         *           "operator": {
         *             "id": "0199f2a0-4444-7000-8000-000000000004",
         *             "name": "helpdesk"
         *           },
         *           "method": "in-person",
         *           "evidence": "Passport, photograph compared",
         *           "note": null,
         *           "certificateId": null,
         *           "createdAt": "2026-11-20T09:00:00.000Z",
         *           "depth": 0
         *         }
         *       ]
         *     }
         */
        EnrolmentVouchers: {
            items: {
                /** @description The certificate that signed. */
                certificateId: string | null;
                /** Format: date-time */
                createdAt: string;
                /** @description 0: of this enrolment. 1: of the one by which the certificate came about that signed for this one. And so on. */
                depth: number;
                enrolmentId: string;
                evidence: string;
                id: string;
                /**
                 * @description identity: who the person is. initial-pin: that they set the PIN themselves. certificate: one that signed.
                 * @enum {string}
                 */
                kind: "identity" | "initial-pin" | "certificate";
                /** @enum {string} */
                method: "in-person" | "video" | "call-back" | "manager" | "existing-certificate";
                note: string | null;
                operator: components["schemas"]["OperatorRef"] | null;
            }[];
        };
        /**
         * @example {
         *       "items": []
         *     }
         */
        EvidenceList: {
            items: components["schemas"]["StoredEvidence"][];
        };
        /**
         * @example {
         *       "nonce": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
         *       "expiresAt": "2026-11-20T09:10:00.000Z"
         *     }
         */
        EvidenceNonce: {
            /** Format: date-time */
            expiresAt: string;
            /** Format: byte */
            nonce: string;
        };
        /**
         * @example {
         *       "code": "card-not-on-this-device",
         *       "detail": "The store has no such card."
         *     }
         */
        Failure: {
            code: string;
            detail: string | null;
        };
        /**
         * @example {
         *       "pointer": "/displayName",
         *       "code": "field-invalid",
         *       "detail": "must NOT have fewer than 1 characters"
         *     }
         */
        FieldProblem: {
            code: string;
            detail: string;
            /** @description RFC 6901; begins with /query or /params for those. */
            pointer: string;
        };
        /**
         * @example {
         *       "answer": "q83v",
         *       "selfChange": {
         *         "approvedPolicy": "EjRW",
         *         "signature": "eJq8"
         *       },
         *       "expirationSeconds": 900
         *     }
         */
        FirstWriteApproval: {
            /**
             * Format: byte
             * @description HMAC-SHA-256 for TPM2_PolicySigned, 32 bytes.
             */
            answer: string;
            expirationSeconds: number;
            selfChange: {
                /** Format: byte */
                approvedPolicy: string;
                /** Format: byte */
                signature: string;
            };
        };
        /**
         * @example {
         *       "serialNumber": "5f0c3d9a1be24c7788aa10bb42cc93de",
         *       "revokedAt": "2026-11-20T09:30:00.000Z"
         *     }
         */
        HandRevocation: {
            /** Format: date-time */
            revokedAt: string;
            serialNumber: string;
        };
        /**
         * @example {
         *       "attestationId": "0199f2a0-8888-7000-8000-000000000008",
         *       "credentialBlob": "AEQAIKu6",
         *       "secret": "AEQAIPmD",
         *       "nonce": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
         *       "expiresAt": "2026-11-20T09:10:00.000Z"
         *     }
         */
        HiddenCredential: {
            attestationId: string;
            /**
             * Format: byte
             * @description TPM2B_ID_OBJECT
             */
            credentialBlob: string;
            /** Format: date-time */
            expiresAt: string;
            /**
             * Format: byte
             * @description For the statement about the storage key.
             */
            nonce: string;
            /**
             * Format: byte
             * @description TPM2B_ENCRYPTED_SECRET
             */
            secret: string;
        };
        /**
         * @example {
         *       "jwk": {
         *         "kty": "EC",
         *         "crv": "P-256",
         *         "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
         *         "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
         *         "kid": "2026-1",
         *         "use": "enc",
         *         "alg": "ECDH-ES+A256KW"
         *       }
         *     }
         */
        ImportKey: {
            /** @description RFC 7517. P-256, `use` enc, `alg` ECDH-ES+A256KW. */
            jwk: {
                [key: string]: unknown;
            };
        };
        /**
         * @example {
         *       "confirmationCode": "482913",
         *       "confirmed": false,
         *       "pollAfterSeconds": 2
         *     }
         */
        InitialPinSupervision: {
            /** @description To be shown to the operator who looked on. */
            confirmationCode: string;
            confirmed: boolean;
            pollAfterSeconds: number;
        };
        /**
         * @example {
         *       "certificateId": "0199f2a0-5555-7000-8000-000000000005",
         *       "certificate": "MIIB",
         *       "chain": [
         *         "MIIC",
         *         "MIID"
         *       ]
         *     }
         */
        IssuedCertificate: {
            /**
             * Format: byte
             * @description DER
             */
            certificate: string;
            certificateId: string;
            /** @description DER: issuing CA, then root. */
            chain: string[];
        };
        /**
         * @example {
         *       "id": "0199f2a0-bbbb-7000-8000-00000000000b",
         *       "cardId": "0199f2a0-3333-7000-8000-000000000003",
         *       "taskId": "0199f2a0-aaaa-7000-8000-00000000000a",
         *       "kind": "rotation",
         *       "cause": "periodic",
         *       "state": "requested",
         *       "fromVersion": 1,
         *       "toVersion": null,
         *       "reason": "Keys of 2024 are to go",
         *       "ticket": "CHG-112",
         *       "requestedBy": {
         *         "id": "0199f2a0-4444-7000-8000-000000000004",
         *         "name": "security-officer"
         *       },
         *       "createdAt": "2026-11-20T09:00:00.000Z",
         *       "confirmedAt": null,
         *       "failure": null,
         *       "allowedActions": [
         *         {
         *           "action": "cancel",
         *           "allowed": true,
         *           "disabledReason": null
         *         },
         *         {
         *           "action": "give-up",
         *           "allowed": false,
         *           "disabledReason": "The device has not been given a new key for this change yet."
         *         }
         *       ]
         *     }
         */
        KeyChange: {
            allowedActions: components["schemas"]["AllowedAction"][];
            cardId: string;
            /** @enum {string} */
            cause: "take-over" | "periodic" | "suspicion";
            /** Format: date-time */
            confirmedAt: string | null;
            /** Format: date-time */
            createdAt: string;
            failure: components["schemas"]["Failure"] | null;
            fromVersion: number;
            id: string;
            /**
             * @description rotation: of a TPM card, in which the old key keeps its power.
             * @enum {string}
             */
            kind: "rotation" | "take-over" | "replacement";
            reason: string | null;
            requestedBy: components["schemas"]["OperatorRef"];
            /**
             * @description offered: the device has the new key, and the card may have it. Both open the card until confirmed.
             * @enum {string}
             */
            state: "requested" | "offered" | "confirmed" | "cancelled" | "failed";
            /** @description Of the device, which puts the new key on the card. */
            taskId: string;
            ticket: string | null;
            toVersion: number | null;
        };
        /**
         * @example {
         *       "items": [
         *         {
         *           "id": "0199f2a0-bbbb-7000-8000-00000000000b",
         *           "cardId": "0199f2a0-3333-7000-8000-000000000003",
         *           "taskId": "0199f2a0-aaaa-7000-8000-00000000000a",
         *           "kind": "rotation",
         *           "cause": "periodic",
         *           "state": "requested",
         *           "fromVersion": 1,
         *           "toVersion": null,
         *           "reason": "Keys of 2024 are to go",
         *           "ticket": "CHG-112",
         *           "requestedBy": {
         *             "id": "0199f2a0-4444-7000-8000-000000000004",
         *             "name": "security-officer"
         *           },
         *           "createdAt": "2026-11-20T09:00:00.000Z",
         *           "confirmedAt": null,
         *           "failure": null,
         *           "allowedActions": [
         *             {
         *               "action": "cancel",
         *               "allowed": true,
         *               "disabledReason": null
         *             },
         *             {
         *               "action": "give-up",
         *               "allowed": false,
         *               "disabledReason": "The device has not been given a new key for this change yet."
         *             }
         *           ]
         *         }
         *       ],
         *       "next": null
         *     }
         */
        KeyChangeList: {
            items: components["schemas"]["KeyChange"][];
            /** @description Send it as `cursor`. */
            next: string | null;
        };
        /**
         * @example {
         *       "nonce": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
         *       "key": {
         *         "public": "AHoAIwAL",
         *         "creationData": "AAAA",
         *         "statement": "/1RDR4Aa",
         *         "signature": "ABgACwAg"
         *       },
         *       "index": {
         *         "statement": "/1RDR4AU",
         *         "signature": "ABgACwAg"
         *       }
         *     }
         */
        KeyEvidence: {
            index: {
                /**
                 * Format: byte
                 * @description TPMT_SIGNATURE, ECDSA P-256 with SHA-256
                 */
                signature: string;
                /**
                 * Format: byte
                 * @description TPMS_ATTEST
                 */
                statement: string;
            };
            key: {
                /**
                 * Format: byte
                 * @description TPMS_CREATION_DATA
                 */
                creationData: string;
                /**
                 * Format: byte
                 * @description TPM2B_PUBLIC
                 */
                public: string;
                /**
                 * Format: byte
                 * @description TPMT_SIGNATURE, ECDSA P-256 with SHA-256
                 */
                signature: string;
                /**
                 * Format: byte
                 * @description TPMS_ATTEST
                 */
                statement: string;
            };
            /**
             * Format: byte
             * @description As it was given out, 32 bytes.
             */
            nonce: string;
        };
        /**
         * @example {
         *       "keyOffer": {
         *         "kind": "replacement",
         *         "keyVersion": 2,
         *         "name": "AAuq",
         *         "public": "AC4A",
         *         "duplicate": "AHYA",
         *         "inSymSeed": "AEQA",
         *         "fromVersion": 1,
         *         "algorithm": "aes-256",
         *         "kcv": "A1B2C3"
         *       }
         *     }
         */
        KeyOffer: {
            keyOffer: components["schemas"]["SuccessorOffer"] | components["schemas"]["ReplacementOffer"];
        };
        /**
         * @example {
         *       "items": [
         *         {
         *           "action": "device-lost",
         *           "allowed": true,
         *           "disabledReason": null
         *         }
         *       ]
         *     }
         */
        LifeCycleActList: {
            items: components["schemas"]["AllowedAction"][];
        };
        /**
         * @example {
         *       "act": "device-stolen",
         *       "subject": {
         *         "kind": "device",
         *         "id": "0199f2a0-2222-7000-8000-000000000002"
         *       },
         *       "cards": [
         *         {
         *           "cardId": "0199f2a0-3333-7000-8000-000000000003",
         *           "serial": "CW-7K3M-92QF",
         *           "personId": "0199f2a0-1111-7000-8000-000000000001",
         *           "from": "active",
         *           "to": "compromised"
         *         }
         *       ],
         *       "certificates": [
         *         {
         *           "id": "0199f2a0-5555-7000-8000-000000000005",
         *           "serialNumber": "5f0c3d9a1be24c7788aa10bb42cc93de",
         *           "cardId": "0199f2a0-3333-7000-8000-000000000003",
         *           "reason": "keyCompromise"
         *         }
         *       ],
         *       "sessionsEnded": [],
         *       "keyChangesCancelled": [],
         *       "tasksCancelled": [],
         *       "tasksQueued": [
         *         {
         *           "kind": "destroy",
         *           "cardId": "0199f2a0-3333-7000-8000-000000000003",
         *           "deviceId": "0199f2a0-2222-7000-8000-000000000002"
         *         }
         *       ],
         *       "enrolmentsCancelled": [],
         *       "enrolmentsMade": [
         *         {
         *           "personId": "0199f2a0-1111-7000-8000-000000000001",
         *           "cardProfile": "tpm-standard",
         *           "replacesCardId": "0199f2a0-3333-7000-8000-000000000003"
         *         }
         *       ],
         *       "notDone": []
         *     }
         */
        LifeCyclePlan: {
            /** @enum {string} */
            act: "device-lost" | "device-stolen" | "person-left" | "device-handed-over" | "system-reinstalled";
            /** @description Cards that change their state. */
            cards: {
                cardId: string;
                /** @enum {string} */
                from: "requested" | "created" | "active" | "blocked" | "suspended" | "retired" | "lost" | "compromised" | "destroyed";
                personId: string;
                serial: string;
                /** @enum {string} */
                to: "requested" | "created" | "active" | "blocked" | "suspended" | "retired" | "lost" | "compromised" | "destroyed";
            }[];
            /** @description Certificates that are revoked. */
            certificates: {
                cardId: string;
                id: string;
                /** @enum {string} */
                reason: "unspecified" | "keyCompromise" | "affiliationChanged" | "superseded" | "cessationOfOperation" | "privilegeWithdrawn";
                serialNumber: string | null;
            }[];
            enrolmentsCancelled: {
                cardId: string | null;
                id: string;
                personId: string;
            }[];
            /** @description One-time codes for new cards. */
            enrolmentsMade: {
                cardProfile: string;
                personId: string;
                replacesCardId: string | null;
            }[];
            keyChangesCancelled: {
                cardId: string;
                id: string;
            }[];
            /** @description What one might expect and does not happen, and why. */
            notDone: {
                cardId: string;
                code: string;
                serial: string;
                why: string;
            }[];
            /** @description Unblock sessions that nobody will answer any more. */
            sessionsEnded: {
                cardId: string;
                id: string;
                state: string;
            }[];
            subject: {
                id: string;
                /** @enum {string} */
                kind: "card" | "device" | "person";
            };
            tasksCancelled: {
                cardId: string;
                id: string;
                kind: string;
            }[];
            /** @description What the agents are asked to do, should they come back. */
            tasksQueued: {
                cardId: string;
                deviceId: string;
                /** @enum {string} */
                kind: "destroy";
            }[];
        };
        /**
         * @example {
         *       "plan": {
         *         "act": "device-stolen",
         *         "subject": {
         *           "kind": "device",
         *           "id": "0199f2a0-2222-7000-8000-000000000002"
         *         },
         *         "cards": [
         *           {
         *             "cardId": "0199f2a0-3333-7000-8000-000000000003",
         *             "serial": "CW-7K3M-92QF",
         *             "personId": "0199f2a0-1111-7000-8000-000000000001",
         *             "from": "active",
         *             "to": "compromised"
         *           }
         *         ],
         *         "certificates": [
         *           {
         *             "id": "0199f2a0-5555-7000-8000-000000000005",
         *             "serialNumber": "5f0c3d9a1be24c7788aa10bb42cc93de",
         *             "cardId": "0199f2a0-3333-7000-8000-000000000003",
         *             "reason": "keyCompromise"
         *           }
         *         ],
         *         "sessionsEnded": [],
         *         "keyChangesCancelled": [],
         *         "tasksCancelled": [],
         *         "tasksQueued": [
         *           {
         *             "kind": "destroy",
         *             "cardId": "0199f2a0-3333-7000-8000-000000000003",
         *             "deviceId": "0199f2a0-2222-7000-8000-000000000002"
         *           }
         *         ],
         *         "enrolmentsCancelled": [],
         *         "enrolmentsMade": [
         *           {
         *             "personId": "0199f2a0-1111-7000-8000-000000000001",
         *             "cardProfile": "tpm-standard",
         *             "replacesCardId": "0199f2a0-3333-7000-8000-000000000003"
         *           }
         *         ],
         *         "notDone": []
         *       },
         *       "previewToken": "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg"
         *     }
         */
        LifeCyclePreview: {
            plan: components["schemas"]["LifeCyclePlan"];
            /** @description Sent with the act: what is done is what was shown, or nothing. */
            previewToken: string;
        };
        /**
         * @example {
         *       "requestId": "0199f2a0-9999-7000-8000-000000000009",
         *       "plan": {
         *         "act": "device-stolen",
         *         "subject": {
         *           "kind": "device",
         *           "id": "0199f2a0-2222-7000-8000-000000000002"
         *         },
         *         "cards": [
         *           {
         *             "cardId": "0199f2a0-3333-7000-8000-000000000003",
         *             "serial": "CW-7K3M-92QF",
         *             "personId": "0199f2a0-1111-7000-8000-000000000001",
         *             "from": "active",
         *             "to": "compromised"
         *           }
         *         ],
         *         "certificates": [
         *           {
         *             "id": "0199f2a0-5555-7000-8000-000000000005",
         *             "serialNumber": "5f0c3d9a1be24c7788aa10bb42cc93de",
         *             "cardId": "0199f2a0-3333-7000-8000-000000000003",
         *             "reason": "keyCompromise"
         *           }
         *         ],
         *         "sessionsEnded": [],
         *         "keyChangesCancelled": [],
         *         "tasksCancelled": [],
         *         "tasksQueued": [
         *           {
         *             "kind": "destroy",
         *             "cardId": "0199f2a0-3333-7000-8000-000000000003",
         *             "deviceId": "0199f2a0-2222-7000-8000-000000000002"
         *           }
         *         ],
         *         "enrolmentsCancelled": [],
         *         "enrolmentsMade": [
         *           {
         *             "personId": "0199f2a0-1111-7000-8000-000000000001",
         *             "cardProfile": "tpm-standard",
         *             "replacesCardId": "0199f2a0-3333-7000-8000-000000000003"
         *           }
         *         ],
         *         "notDone": []
         *       },
         *       "codes": [
         *         {
         *           "enrolmentId": "0199f2a0-7777-7000-8000-000000000007",
         *           "personId": "0199f2a0-1111-7000-8000-000000000001",
         *           "replacesCardId": "0199f2a0-3333-7000-8000-000000000003",
         *           "code": "K7QM-2D9X-4RTP",
         *           "handOverCode": null,
         *           "expiresAt": "2026-11-23T09:30:00.000Z"
         *         }
         *       ]
         *     }
         */
        LifeCycleResult: {
            codes: {
                /** @description Shown once. */
                code: string;
                enrolmentId: string;
                expiresAt: string;
                /** @description Where a first PIN is handed over; shown once. */
                handOverCode: string | null;
                personId: string;
                replacesCardId: string | null;
            }[];
            plan: components["schemas"]["LifeCyclePlan"];
            /** @description All audit events of the act carry it, those that come later too. */
            requestId: string;
        };
        /**
         * @example {
         *       "deviceId": "0199f2a0-2222-7000-8000-000000000002",
         *       "authority": "ACMACwAEBEA=",
         *       "password": {
         *         "public": "AAgACw==",
         *         "duplicate": "ACD0pQ==",
         *         "inSymSeed": "AEQAIA==",
         *         "name": "AAt2MQ=="
         *       },
         *       "rules": {
         *         "maxTries": 10,
         *         "forgivenAfterSeconds": 600,
         *         "passwordPauseSeconds": 86400
         *       }
         *     }
         */
        LockoutProtection: {
            /**
             * Format: byte
             * @description TPMT_PUBLIC of the key that resets the lockout.
             */
            authority: string;
            deviceId: string;
            /** @description The lockout's password, sealed to the device's TPM. Base64. */
            password: {
                duplicate: string;
                inSymSeed: string;
                name: string;
                public: string;
            };
            rules: {
                forgivenAfterSeconds: number;
                maxTries: number;
                passwordPauseSeconds: number;
            };
        };
        /**
         * @example {
         *       "response": "1603 EBDF 1C8A 2E72",
         *       "lines": [
         *         "1603 EBDF 1C8A 2E72"
         *       ]
         *     }
         */
        LockoutReset: {
            lines: string[];
            /** @description The lines, joined by line feeds. */
            response: string;
        };
        /**
         * @example {
         *       "name": "campus-master",
         *       "kind": "an10922-master",
         *       "algorithm": "aes-128",
         *       "kcv": "19C758",
         *       "createdAt": "2026-03-02T09:00:00.000Z"
         *     }
         */
        NamedKey: {
            /**
             * @description Of the cards that depend on it.
             * @enum {string}
             */
            algorithm: "tdes" | "aes-128" | "aes-192" | "aes-256";
            /** Format: date-time */
            createdAt: string;
            /** @description Key check value. */
            kcv: string | null;
            /** @enum {string} */
            kind: "uniform-key" | "an10922-master" | "dogtag-master";
            name: string;
        };
        /**
         * @example {
         *       "items": [
         *         {
         *           "name": "campus-master",
         *           "kind": "an10922-master",
         *           "algorithm": "aes-128",
         *           "kcv": "19C758",
         *           "createdAt": "2026-03-02T09:00:00.000Z"
         *         }
         *       ]
         *     }
         */
        NamedKeyList: {
            items: components["schemas"]["NamedKey"][];
        };
        /**
         * @example {
         *       "act": "ca-key-compromised",
         *       "preview": true,
         *       "reason": "The signing host was broken into"
         *     }
         */
        NewAuthorityAct: {
            /** @enum {string} */
            act: "ca-key-compromised";
            /**
             * Format: date-time
             * @description Since when nothing that this CA signed is to be trusted.
             */
            invalidityDate?: string;
            /** @description Show what would be revoked, and change nothing. */
            preview?: boolean;
            /**
             * Format: uuid
             * @description Id of the operation that the preview gave.
             */
            previewToken?: string;
            /**
             * @description Why. Kept in the audit log.
             * @example Caller forgot the PIN
             */
            reason: string;
            /**
             * @description Reference in a ticket system.
             * @example INC-20417
             */
            ticket?: string;
        };
        /**
         * @example {
         *       "personId": "0199f2a0-1111-7000-8000-000000000001",
         *       "serial": "VSC-00042",
         *       "algorithm": "tdes",
         *       "administratorKey": "eyJhbGciOiJFQ0RILUVTK0EyNTZLVyIsImVuYyI6IkEyNTZHQ00ifQ.c2VhbGVk.aXY.Y2lwaGVydGV4dA.dGFn"
         *     }
         */
        NewCard: {
            /** @description The key in hex digits, sealed to the vault's import key as JWE compact (ECDH-ES+A256KW, A256GCM) with `cardSerial` in its protected header. Never in clear. */
            administratorKey?: string;
            /**
             * @description Needed without a profile.
             * @enum {string}
             */
            algorithm?: "tdes" | "aes-128" | "aes-192" | "aes-256";
            /** @description Of minidriver cards. Says the strategy, and so what else is to be sent. */
            cardProfile?: string;
            /**
             * @description ecb, unless this or the profile says cbc.
             * @enum {string}
             */
            challengeMode?: "ecb" | "cbc";
            /** Format: uuid */
            deviceId?: string;
            /** @description Of a card whose key follows from the master of its fleet: what it was diversified by. */
            diversifier?: string;
            /** @description If known: another key is refused. */
            keyCheckValue?: string;
            /** Format: uuid */
            personId: string;
            /** @description Sealed as the key, with `typ` puk in its protected header. Never in clear. */
            puk?: string;
            /** @description As the card itself gives it. */
            serial: string;
            /** @description Of a card on a device, whose key others know (the well-known default one, for instance): the card is `created` until the agent of the device has changed the key. */
            takeOver?: boolean;
        };
        /**
         * @example {
         *       "name": "campus-2019",
         *       "displayName": "Campus cards of 2019",
         *       "algorithm": "aes-128",
         *       "keyStrategy": "deterministic",
         *       "namedKey": "campus-master",
         *       "derivation": "an10922"
         *     }
         * @example {
         *       "name": "tpm-strong",
         *       "displayName": "TPM card, P-384",
         *       "algorithm": "hmac-sha256",
         *       "keyStrategy": "random-stored",
         *       "pinLimit": 3,
         *       "pinPolicy": {
         *         "minLength": 8,
         *         "digits": "required",
         *         "lowercase": "required"
         *       },
         *       "containers": [
         *         {
         *           "container": "sign-in",
         *           "keyType": "ec-p384",
         *           "certificateProfile": "smart-card-sign-in"
         *         }
         *       ]
         *     }
         */
        NewCardProfile: {
            /**
             * @description hmac-sha256: of TPM cards. Any other: of minidriver cards.
             * @enum {string}
             */
            algorithm: "tdes" | "aes-128" | "aes-192" | "aes-256" | "hmac-sha256";
            /**
             * @description TPM cards only.
             * @enum {string}
             */
            attestation?: "required" | "preferred" | "off";
            /** @enum {string} */
            challengeMode?: "ecb" | "cbc";
            /** @description TPM cards only: the keys that are made on each card. */
            containers?: {
                certificateProfile: string;
                container: string;
                /** @enum {string} */
                keyType: "ec-p256" | "ec-p384" | "rsa-2048" | "rsa-3072";
                /** @description Days before its end from which it is renewed. Left out: as the certificate profile has it. */
                renewalDays?: number;
                /**
                 * @description new: a new key each time, for which its holder gives the PIN.
                 * @enum {string}
                 */
                renewalKey?: "same" | "new";
                /** @description Shorter than what the certificate profile gives. Left out: as long. */
                validitySeconds?: number;
            }[];
            /** @enum {string} */
            derivation?: "an10922" | "dogtag";
            displayName: string;
            /** @description How a person may come to such a card: see the enrolments. */
            enrolmentMethods?: ("code" | "on-behalf" | "existing-certificate" | "pre-provisioned")[];
            /**
             * @description holder: whoever has the code types it. supervised: the same, and an operator confirms that the person did. handed-over: nobody sees it; the person exchanges it for their own by a hand-over code.
             * @enum {string}
             */
            initialPin?: "holder" | "supervised" | "handed-over";
            keyRotationDays?: number;
            /** @enum {string} */
            keyStrategy: "uniform" | "random-not-stored" | "random-stored" | "deterministic";
            name: string;
            namedKey?: string;
            /** @description TPM cards only: wrong PINs until the card blocks itself. */
            pinLimit?: number;
            /** @description TPM cards only. What is left out: 6 to 127 characters of any kind; sequences, repeats and common PINs are refused. */
            pinPolicy?: {
                /** @enum {string} */
                digits?: "allowed" | "required" | "disallowed";
                /** @enum {string} */
                lowercase?: "allowed" | "required" | "disallowed";
                maxLength?: number;
                minLength?: number;
                /** @description What many people choose. */
                refuseCommon?: boolean;
                /** @description 111111, 121212, 123123 and the like. */
                refuseRepeats?: boolean;
                /** @description 123456, abcdef and the like. */
                refuseSequences?: boolean;
                /** @enum {string} */
                special?: "allowed" | "required" | "disallowed";
                /** @enum {string} */
                uppercase?: "allowed" | "required" | "disallowed";
            };
            /** @enum {string} */
            puk?: "none" | "optional" | "required";
            /** @description TPM cards only: the holder may approve an unblock of such a card with another card and its PIN, without an operator. False if left out. */
            selfServiceUnblock?: boolean;
            /**
             * @description Least level of an existing certificate that signs for a new card.
             * @enum {string}
             */
            signerAssurance?: "low" | "substantial" | "high";
        };
        /**
         * @example {
         *       "name": "sign-in-strong",
         *       "kind": "smart-card-sign-in",
         *       "displayName": "Smart card sign-in",
         *       "authority": "embedded",
         *       "keyTypes": [
         *         "ec-p256",
         *         "rsa-2048"
         *       ],
         *       "validitySeconds": 31536000,
         *       "renewalDays": 30,
         *       "renewalKey": "same",
         *       "maxKeyAgeDays": 1095,
         *       "attestation": null,
         *       "containerDefault": "sign-in",
         *       "people": {
         *         "domains": [
         *           "example.com"
         *         ]
         *       },
         *       "names": {
         *         "userPrincipalName": true,
         *         "kerberosPrincipal": true,
         *         "email": "if-any",
         *         "securityIdentifier": true,
         *         "organization": false
         *       }
         *     }
         */
        NewCertificateProfile: {
            /**
             * @description Null: as the card profile has it.
             * @enum {string|null}
             */
            attestation?: "required" | "preferred" | "off" | null;
            /** @description The CA that issues. `embedded` if left out. */
            authority?: string;
            containerDefault?: string | null;
            displayName: string;
            keyTypes: ("ec-p256" | "ec-p384" | "rsa-2048" | "rsa-3072")[];
            /**
             * @description What it is for: key usages and the like follow from it.
             * @enum {string}
             */
            kind: "smart-card-sign-in" | "tls-client" | "smime-signature" | "smime-encryption" | "document-signature" | "volume-encryption" | "device";
            /** @description An older key gets no further certificate. */
            maxKeyAgeDays?: number | null;
            name: string;
            /** @description Which names of the directory's record stand in the certificate. Those of the request never do. */
            names: {
                /** @enum {string} */
                email: "none" | "if-any" | "required";
                /** @description The person's own; else what follows from the user principal name, its realm in upper case. */
                kerberosPrincipal: boolean;
                organization: boolean;
                /** @description The SID extension (1.3.6.1.4.1.311.25.2), if the person has one. */
                securityIdentifier: boolean;
                userPrincipalName: boolean;
            };
            /** @description Who may have one: all that is said has to fit. */
            people?: {
                /** @description After the @ of the user principal name. */
                domains?: string[];
                organizations?: string[];
            } | null;
            /** @description Days before its end. Null: 30, or a third of its life. */
            renewalDays?: number | null;
            /**
             * @description new: a new key with each certificate.
             * @enum {string}
             */
            renewalKey?: "same" | "new";
            validitySeconds: number;
        };
        /**
         * @example {
         *       "cause": "periodic",
         *       "reason": "Keys of 2024 are to go",
         *       "ticket": "CHG-112"
         *     }
         */
        NewKeyChange: {
            /**
             * @description suspicion does not help a TPM card: reissue it. take-over: again, after one that failed.
             * @enum {string}
             */
            cause: "take-over" | "periodic" | "suspicion";
            /**
             * @description Why. Kept in the audit log.
             * @example Caller forgot the PIN
             */
            reason: string;
            /**
             * @description Reference in a ticket system.
             * @example INC-20417
             */
            ticket?: string;
        };
        /**
         * @example {
         *       "act": "device-stolen",
         *       "preview": true,
         *       "reason": "Stolen from a car, the PIN was on a note"
         *     }
         */
        NewLifeCycleAct: {
            /** @enum {string} */
            act: "device-lost" | "device-stolen" | "person-left" | "device-handed-over" | "system-reinstalled";
            /**
             * @description One of the card profile's; its first one, if it is left out.
             * @enum {string}
             */
            method?: "code" | "on-behalf" | "existing-certificate" | "pre-provisioned";
            /**
             * Format: uuid
             * @description Of a computer that is handed over: who gets it, and a code for a card on it.
             */
            newPersonId?: string;
            /** @description Show what would be done, and change nothing. */
            preview?: boolean;
            previewToken?: string;
            /**
             * @description Why. Kept in the audit log.
             * @example Caller forgot the PIN
             */
            reason: string;
            /** @description Whether other cards are to take the places. If it is not said: yes when lost or stolen, no when handed over. */
            reissue?: boolean;
            /**
             * @description Reference in a ticket system.
             * @example INC-20417
             */
            ticket?: string;
            /** @description How the person was identified. Who says so vouches for them, for as long as the card is in use. */
            verification?: {
                /** @description What proved who the person is. Kept in the audit log. */
                evidence: string;
                /** @enum {string} */
                method: "in-person" | "video" | "call-back" | "manager";
                note?: string;
            };
        };
        /**
         * @example {
         *       "text": "Please bring this laptop to the service desk on Friday."
         *     }
         */
        NewMessage: {
            /**
             * Format: uuid
             * @description The card that it is about.
             */
            cardId?: string;
            /** @description Shown to who uses the device. */
            text: string;
        };
        /**
         * @example {
         *       "name": "campus-master",
         *       "kind": "an10922-master",
         *       "algorithm": "aes-128",
         *       "key": "eyJhbGciOiJFQ0RILUVTIn0.a.b.c.d"
         *     }
         */
        NewNamedKey: {
            /** @enum {string} */
            algorithm: "tdes" | "aes-128" | "aes-192" | "aes-256";
            /** @description The key in hex digits, sealed to the vault's import key as JWE compact, with the name as `cardSerial` and the kind as `typ` in its protected header. Never in clear. */
            key: string;
            /** @enum {string} */
            kind: "uniform-key" | "an10922-master" | "dogtag-master";
            name: string;
        };
        /**
         * @example {
         *       "displayName": "Mary Major",
         *       "userPrincipalName": "mary.major@example.com",
         *       "email": "mary.major@example.com"
         *     }
         */
        NewPerson: {
            displayName: string;
            /** Format: email */
            email?: string;
            /** @description name@REALM, both in exact case. Needs the permission people:update. */
            kerberosPrincipal?: string;
            organization?: string;
            /** @description SID of the Windows account. Needs the permission people:update, as it says whose account it is. */
            securityIdentifier?: string;
            /** @description Kept in lower case. */
            userPrincipalName: string;
        };
        /**
         * @example {
         *       "reason": "Blocked card of a traveller",
         *       "ticket": "INC-20417"
         *     }
         */
        NewPukDisclosure: {
            /**
             * @description Why. Kept in the audit log.
             * @example Caller forgot the PIN
             */
            reason: string;
            /**
             * @description Reference in a ticket system.
             * @example INC-20417
             */
            ticket?: string;
        };
        /**
         * @example {
         *       "reason": "Laptop stolen",
         *       "ticket": "INC-20417",
         *       "oldCard": "retire-now",
         *       "revocationReason": "keyCompromise"
         *     }
         */
        NewReissue: {
            /**
             * @description One of the card profile's; its first one, if it is left out.
             * @enum {string}
             */
            method?: "code" | "on-behalf" | "existing-certificate" | "pre-provisioned";
            /**
             * @description retire-when-replaced: the person works with the old card until the new one, on another or a reinstalled device, is active. retire-now: it goes out of use at once; needs the permission cards:retire.
             * @default retire-when-replaced
             * @enum {string}
             */
            oldCard?: "retire-when-replaced" | "retire-now";
            /**
             * @description Why. Kept in the audit log.
             * @example Caller forgot the PIN
             */
            reason: string;
            /**
             * @description Of the certificates of the old card. Another than superseded needs retire-now.
             * @default superseded
             * @enum {string}
             */
            revocationReason?: "superseded" | "keyCompromise" | "cessationOfOperation";
            /**
             * @description Reference in a ticket system.
             * @example INC-20417
             */
            ticket?: string;
            /** @default 86400 */
            validForSeconds?: number;
            /** @description How the person was identified. Who says so vouches for them, for as long as the card is in use. */
            verification?: {
                /** @description What proved who the person is. Kept in the audit log. */
                evidence: string;
                /** @enum {string} */
                method: "in-person" | "video" | "call-back" | "manager";
                note?: string;
            };
        };
        /**
         * @example {
         *       "reason": "Left the company",
         *       "ticket": "INC-20417"
         *     }
         */
        NewRetirement: {
            /**
             * @description Why. Kept in the audit log.
             * @example Caller forgot the PIN
             */
            reason: string;
            /**
             * @description Reference in a ticket system.
             * @example INC-20417
             */
            ticket?: string;
        };
        /**
         * @example {
         *       "select": {
         *         "personId": "0199f2a0-1111-7000-8000-000000000001",
         *         "certificateProfile": "smart-card-sign-in"
         *       },
         *       "reason": "keyCompromise",
         *       "comment": "Keys were copied, nobody knows which",
         *       "ticket": "INC-20417"
         *     }
         */
        NewRevocationBatch: {
            /** @description Whether what the same selection finds while the batch runs is revoked too. Without it: yes, but not of a list. */
            alsoIssuedMeanwhile?: boolean;
            /** @description Why, in words. Kept in the audit log. */
            comment: string;
            /**
             * Format: date-time
             * @description RFC 5280 section 5.3.2: since when the certificate is not to be trusted. Within its life so far.
             */
            invalidityDate?: string;
            /**
             * @description RFC 5280 section 5.3.1.
             * @enum {string}
             */
            reason: "unspecified" | "keyCompromise" | "affiliationChanged" | "superseded" | "cessationOfOperation" | "privilegeWithdrawn";
            /** @description Which certificates: all of what is given must hold. */
            select: {
                /** @description Name of a CA. */
                authority?: string;
                /** Format: uuid */
                cardId?: string;
                /** @description Name of a certificate profile. */
                certificateProfile?: string;
                /** Format: uuid */
                deviceId?: string;
                /** @description Serial numbers or SHA-256 thumbprints in hex, one a line, up to 100,000; of CSV the first column. Stands alone. */
                list?: string;
                /** Format: uuid */
                personId?: string;
            };
            /**
             * @description Reference in a ticket system.
             * @example INC-20417
             */
            ticket?: string;
        };
        /**
         * @example {
         *       "id": "0199f2a0-8888-7000-8000-000000000008",
         *       "kind": "revocation-batch",
         *       "state": "running",
         *       "input": {
         *         "select": {
         *           "personId": "0199f2a0-1111-7000-8000-000000000001"
         *         },
         *         "revocationReason": "keyCompromise"
         *       },
         *       "progress": {
         *         "done": 120,
         *         "failed": 0,
         *         "total": 400
         *       },
         *       "counts": {
         *         "pending": 230,
         *         "decided": 50,
         *         "done": 120,
         *         "failed": 0,
         *         "skipped": 3,
         *         "added": 0
         *       },
         *       "reason": "Keys were copied",
         *       "ticket": "INC-20417",
         *       "requestedBy": {
         *         "id": "0199f2a0-4444-7000-8000-000000000004",
         *         "name": "security-officer"
         *       },
         *       "requestId": "0199f2a0-9999-7000-8000-000000000009",
         *       "createdAt": "2026-11-20T09:30:00.000Z",
         *       "expiresAt": "2026-11-20T10:30:00.000Z",
         *       "startedAt": "2026-11-20T09:31:00.000Z",
         *       "finishedAt": null,
         *       "allowedActions": [
         *         {
         *           "action": "cancel",
         *           "allowed": true,
         *           "disabledReason": null
         *         }
         *       ]
         *     }
         */
        Operation: {
            allowedActions: components["schemas"]["AllowedAction"][];
            counts: {
                /** @description Came after the plan was made. */
                added: number;
                /** @description Recorded, and another system is being told. */
                decided: number;
                /** @description Done. */
                done: number;
                /** @description Another system would not. */
                failed: number;
                /** @description To be done. */
                pending: number;
                /** @description Nothing is to be done; the items say why. */
                skipped: number;
            };
            /** Format: date-time */
            createdAt: string;
            /**
             * Format: date-time
             * @description Of a plan: when it can be run no more.
             */
            expiresAt: string;
            /** Format: date-time */
            finishedAt: string | null;
            id: string;
            /** @description What was asked for. */
            input: {
                [key: string]: unknown;
            };
            /** @enum {string} */
            kind: "revocation-batch";
            progress: {
                /** @description Done. */
                done: number;
                /** @description Another system would not; the items say why. */
                failed: number;
                /** @description All that is to be done, or was. */
                total: number;
            };
            reason: string;
            requestedBy: components["schemas"]["OperatorRef"];
            /** @description All audit events of it carry this. */
            requestId: string;
            /** Format: date-time */
            startedAt: string | null;
            /**
             * @description planned: nothing was done yet. running: the worker carries it on, whatever restarts.
             * @enum {string}
             */
            state: "planned" | "running" | "done" | "cancelled" | "expired";
            ticket: string | null;
        };
        /**
         * @example {
         *       "position": 1,
         *       "state": "skipped",
         *       "code": "serial-number-unknown",
         *       "added": false,
         *       "line": "5f0c3d9a1be24c77",
         *       "certificate": null
         *     }
         */
        OperationItem: {
            /** @description Came after the plan was made. */
            added: boolean;
            certificate: {
                authority: string;
                cardId: string;
                id: string;
                personId: string;
                serialNumber: string | null;
                status: string;
                subject: string | null;
            } | null;
            /** @description Why it was skipped, or failed. */
            code: string | null;
            /** @description Of a list, where the line names nothing. */
            line: string | null;
            /** @description In the plan; of a list, the number of the line. */
            position: number;
            /** @enum {string} */
            state: "pending" | "decided" | "done" | "failed" | "skipped";
        };
        /**
         * @example {
         *       "items": [
         *         {
         *           "position": 1,
         *           "state": "skipped",
         *           "code": "serial-number-unknown",
         *           "added": false,
         *           "line": "5f0c3d9a1be24c77",
         *           "certificate": null
         *         }
         *       ],
         *       "next": null
         *     }
         */
        OperationItemList: {
            items: components["schemas"]["OperationItem"][];
            /** @description Send it as `cursor`. */
            next: string | null;
        };
        /**
         * @example {
         *       "items": [
         *         {
         *           "id": "0199f2a0-8888-7000-8000-000000000008",
         *           "kind": "revocation-batch",
         *           "state": "running",
         *           "input": {
         *             "select": {
         *               "personId": "0199f2a0-1111-7000-8000-000000000001"
         *             },
         *             "revocationReason": "keyCompromise"
         *           },
         *           "progress": {
         *             "done": 120,
         *             "failed": 0,
         *             "total": 400
         *           },
         *           "counts": {
         *             "pending": 230,
         *             "decided": 50,
         *             "done": 120,
         *             "failed": 0,
         *             "skipped": 3,
         *             "added": 0
         *           },
         *           "reason": "Keys were copied",
         *           "ticket": "INC-20417",
         *           "requestedBy": {
         *             "id": "0199f2a0-4444-7000-8000-000000000004",
         *             "name": "security-officer"
         *           },
         *           "requestId": "0199f2a0-9999-7000-8000-000000000009",
         *           "createdAt": "2026-11-20T09:30:00.000Z",
         *           "expiresAt": "2026-11-20T10:30:00.000Z",
         *           "startedAt": "2026-11-20T09:31:00.000Z",
         *           "finishedAt": null,
         *           "allowedActions": [
         *             {
         *               "action": "cancel",
         *               "allowed": true,
         *               "disabledReason": null
         *             }
         *           ]
         *         }
         *       ],
         *       "next": null
         *     }
         */
        OperationList: {
            items: components["schemas"]["Operation"][];
            /** @description Send it as `cursor`. */
            next: string | null;
        };
        /**
         * @example {
         *       "id": "0199f2a0-4444-7000-8000-000000000004",
         *       "name": "helpdesk",
         *       "displayName": "Helen Desk",
         *       "role": "helpdesk"
         *     }
         */
        Operator: {
            displayName: string;
            id: string;
            name: string;
            /** @enum {string} */
            role: "helpdesk" | "security-officer" | "auditor" | "integration";
        };
        /**
         * @example {
         *       "id": "0199f2a0-4444-7000-8000-000000000004",
         *       "name": "helpdesk"
         *     }
         */
        OperatorRef: {
            id: string;
            name: string;
        };
        /**
         * @example {
         *       "id": "0199f2a0-1111-7000-8000-000000000001",
         *       "displayName": "Mary Major",
         *       "userPrincipalName": "mary.major@example.com",
         *       "email": "mary.major@example.com",
         *       "organization": "Example Ltd",
         *       "securityIdentifier": "S-1-5-21-3623811015-3361044348-30300820-1013",
         *       "kerberosPrincipal": null,
         *       "createdAt": "2026-03-02T09:00:00.000Z"
         *     }
         */
        Person: {
            /** Format: date-time */
            createdAt: string;
            displayName: string;
            email: string | null;
            id: string;
            /** @description Null: what follows from the user principal name, its realm in upper case. */
            kerberosPrincipal: string | null;
            organization: string | null;
            /** @description SID of the Windows account. */
            securityIdentifier: string | null;
            userPrincipalName: string;
        };
        /**
         * @example {
         *       "displayName": "Mary Minor",
         *       "reason": "Married"
         *     }
         */
        PersonChange: {
            displayName?: string;
            /** Format: email */
            email?: string | null;
            /** @description name@REALM, both in exact case. Needs the permission people:update. */
            kerberosPrincipal?: string | null;
            organization?: string | null;
            /**
             * @description Why. Kept in the audit log.
             * @example Caller forgot the PIN
             */
            reason?: string;
            /** @description SID of the Windows account. Needs the permission people:update, as it says whose account it is. */
            securityIdentifier?: string | null;
            /** @description Kept in lower case. */
            userPrincipalName?: string;
        };
        /**
         * @example {
         *       "items": [
         *         {
         *           "id": "0199f2a0-1111-7000-8000-000000000001",
         *           "displayName": "Mary Major",
         *           "userPrincipalName": "mary.major@example.com",
         *           "email": "mary.major@example.com",
         *           "organization": "Example Ltd",
         *           "securityIdentifier": "S-1-5-21-3623811015-3361044348-30300820-1013",
         *           "kerberosPrincipal": null,
         *           "createdAt": "2026-03-02T09:00:00.000Z"
         *         }
         *       ],
         *       "next": null
         *     }
         */
        PersonList: {
            items: components["schemas"]["Person"][];
            /** @description Send it as `cursor`. */
            next: string | null;
        };
        /**
         * @example {
         *       "id": "0199f2a0-1111-7000-8000-000000000001",
         *       "displayName": "Mary Major",
         *       "userPrincipalName": "mary.major@example.com"
         *     }
         */
        PersonRef: {
            displayName: string;
            id: string;
            userPrincipalName: string;
        };
        /**
         * @description RFC 9457. `detail` is for a person, `code` for a program.
         * @example {
         *       "type": "about:blank",
         *       "title": "Conflict",
         *       "status": 409,
         *       "detail": "The card is retired. A retired card stays as it is.",
         *       "code": "card-not-active",
         *       "requestId": "0199f2a0-9999-7000-8000-000000000009"
         *     }
         */
        Problem: {
            /** @description Stable: programs may depend on it. */
            code: string;
            data?: {
                [key: string]: unknown;
            };
            detail: string;
            errors?: components["schemas"]["FieldProblem"][];
            requestId: string;
            status: number;
            title: string;
            type: string;
        };
        /**
         * @example {
         *       "puk": "48213907"
         *     }
         */
        PukDisclosure: {
            /** @description Shown this once. */
            puk: string;
        };
        /**
         * @example {
         *       "id": "0199f2a0-6666-7000-8000-000000000006",
         *       "certificateId": "0199f2a0-5555-7000-8000-000000000005",
         *       "state": "proposed",
         *       "reason": "keyCompromise",
         *       "comment": "Laptop stolen from a car",
         *       "ticket": "INC-20417",
         *       "revokedAt": "2026-11-20T09:30:00.000Z",
         *       "invalidityDate": "2026-11-19T18:00:00.000Z",
         *       "requestedBy": {
         *         "id": "0199f2a0-4444-7000-8000-000000000004",
         *         "name": "security-officer"
         *       },
         *       "requestId": "0199f2a0-9999-7000-8000-000000000009",
         *       "createdAt": "2026-11-20T09:30:00.000Z",
         *       "confirmedAt": null,
         *       "attempts": 3,
         *       "lastError": {
         *         "code": "ca-unavailable",
         *         "detail": "The CA does not answer.",
         *         "refused": false
         *       },
         *       "nextAttemptAt": "2026-11-20T09:31:00.000Z",
         *       "authority": "embedded",
         *       "serialNumber": "5f0c3d9a1be24c7788aa10bb42cc93de",
         *       "cardId": "0199f2a0-3333-7000-8000-000000000003",
         *       "personId": "0199f2a0-1111-7000-8000-000000000001"
         *     }
         */
        QueuedRevocation: {
            /** @description How often the CA was asked in vain. */
            attempts: number;
            /** @description Name of the CA. */
            authority: string;
            cardId: string;
            certificateId: string;
            comment: string;
            /** Format: date-time */
            confirmedAt: string | null;
            /** Format: date-time */
            createdAt: string;
            id: string;
            /**
             * Format: date-time
             * @description Since when the certificate is not to be trusted.
             */
            invalidityDate: string | null;
            /** @description Why the CA has not heard yet. */
            lastError: {
                code: string;
                detail: string;
                /** @description The CA answered and would not; otherwise it was away. */
                refused: boolean;
            } | null;
            /**
             * Format: date-time
             * @description When the CA is asked again; null once it has heard.
             */
            nextAttemptAt: string | null;
            personId: string;
            /** @enum {string} */
            reason: "unspecified" | "keyCompromise" | "affiliationChanged" | "superseded" | "cessationOfOperation" | "privilegeWithdrawn";
            requestedBy: components["schemas"]["OperatorRef"];
            /** @description Of the request that decided it: its audit events have it too. */
            requestId: string | null;
            /** Format: date-time */
            revokedAt: string;
            /** @description Lower-case hex. */
            serialNumber: string | null;
            /**
             * @description proposed: decided and recorded, the CA is being told. confirmed: the CA has it.
             * @enum {string}
             */
            state: "proposed" | "confirmed";
            ticket: string | null;
        };
        /**
         * @example {
         *       "items": [
         *         {
         *           "id": "0199f2a0-6666-7000-8000-000000000006",
         *           "certificateId": "0199f2a0-5555-7000-8000-000000000005",
         *           "state": "proposed",
         *           "reason": "keyCompromise",
         *           "comment": "Laptop stolen from a car",
         *           "ticket": "INC-20417",
         *           "revokedAt": "2026-11-20T09:30:00.000Z",
         *           "invalidityDate": "2026-11-19T18:00:00.000Z",
         *           "requestedBy": {
         *             "id": "0199f2a0-4444-7000-8000-000000000004",
         *             "name": "security-officer"
         *           },
         *           "requestId": "0199f2a0-9999-7000-8000-000000000009",
         *           "createdAt": "2026-11-20T09:30:00.000Z",
         *           "confirmedAt": null,
         *           "attempts": 3,
         *           "lastError": {
         *             "code": "ca-unavailable",
         *             "detail": "The CA does not answer.",
         *             "refused": false
         *           },
         *           "nextAttemptAt": "2026-11-20T09:31:00.000Z",
         *           "authority": "embedded",
         *           "serialNumber": "5f0c3d9a1be24c7788aa10bb42cc93de",
         *           "cardId": "0199f2a0-3333-7000-8000-000000000003",
         *           "personId": "0199f2a0-1111-7000-8000-000000000001"
         *         }
         *       ],
         *       "next": null
         *     }
         */
        QueuedRevocationList: {
            items: components["schemas"]["QueuedRevocation"][];
            /** @description Send it as `cursor`. */
            next: string | null;
        };
        /**
         * @example {
         *       "taskId": "0199f2a0-7777-7000-8000-000000000017",
         *       "cardId": "0199f2a0-3333-7000-8000-000000000003"
         *     }
         */
        ReAttestation: {
            cardId: string;
            /** @description Among the tasks of the device. */
            taskId: string;
        };
        /**
         * @example {
         *       "superseded": [
         *         "0199f2a0-5555-7000-8000-000000000005"
         *       ]
         *     }
         */
        RenewalConfirmation: {
            /** @description Certificates that are revoked for it; none when repeated. */
            superseded: string[];
        };
        /**
         * @example {
         *       "items": [
         *         {
         *           "container": "sign-in",
         *           "certificateId": "0199f2a0-5555-7000-8000-000000000005",
         *           "notAfter": "2027-11-20T09:00:00.000Z",
         *           "renewableFrom": "2027-10-21T09:00:00.000Z",
         *           "due": false,
         *           "key": "same",
         *           "attestation": "preferred"
         *         }
         *       ]
         *     }
         */
        Renewals: {
            items: {
                /**
                 * @description Unless off, evidence of the key goes with the request.
                 * @enum {string}
                 */
                attestation: "required" | "preferred" | "off";
                /** @description In force now: what `replaces` names. */
                certificateId: string;
                container: string;
                due: boolean;
                /**
                 * @description new: its holder has to sign a request, with the PIN.
                 * @enum {string}
                 */
                key: "same" | "new";
                /** Format: date-time */
                notAfter: string;
                /** Format: date-time */
                renewableFrom: string;
            }[];
        };
        /**
         * @example {
         *       "certificateId": "0199f2a0-5555-7000-8000-000000000006",
         *       "certificate": "MIIB",
         *       "chain": [
         *         "MIIC",
         *         "MIID"
         *       ]
         *     }
         */
        RenewedCertificate: {
            /**
             * Format: byte
             * @description DER
             */
            certificate: string;
            certificateId: string;
            /** @description DER: issuing CA, then root. */
            chain: string[];
        };
        /**
         * @description A sealed data object: TPM2_Unseal gives the key.
         * @example {
         *       "kind": "replacement",
         *       "keyVersion": 2,
         *       "name": "AAuq",
         *       "public": "AC4A",
         *       "duplicate": "AHYA",
         *       "inSymSeed": "AEQA",
         *       "fromVersion": 1,
         *       "algorithm": "aes-256",
         *       "kcv": "A1B2C3"
         *     }
         */
        ReplacementOffer: {
            algorithm: string;
            /**
             * Format: byte
             * @description TPM2B_PRIVATE, wrapped to the device.
             */
            duplicate: string;
            /** @description The key that the card has until then. */
            fromVersion: number;
            /**
             * Format: byte
             * @description TPM2B_ENCRYPTED_SECRET
             */
            inSymSeed: string;
            /** @description Key check value, 6 hex digits. */
            kcv: string;
            keyVersion: number;
            /** @enum {string} */
            kind: "replacement";
            /**
             * Format: byte
             * @description The object's TPM Name.
             */
            name: string;
            /**
             * Format: byte
             * @description TPM2B_PUBLIC
             */
            public: string;
        };
        /**
         * @example {
         *       "state": "done"
         *     }
         */
        ReportedTask: {
            /**
             * @description What the first report made of it.
             * @enum {string}
             */
            state: "queued" | "delivered" | "done" | "failed" | "cancelled";
        };
        /**
         * @example {
         *       "taskId": "0199f2a0-7777-7000-8000-000000000007",
         *       "key": "same"
         *     }
         */
        RequestedRenewal: {
            /**
             * @description same: the device renews it by itself. new: its holder is told, who makes the key with the PIN.
             * @enum {string}
             */
            key: "same" | "new";
            /** @description Of the device: GET /devices/{id}/tasks says what came of it. */
            taskId: string;
        };
        /**
         * @example {
         *       "id": "0199f2a0-6666-7000-8000-000000000006",
         *       "certificateId": "0199f2a0-5555-7000-8000-000000000005",
         *       "state": "confirmed",
         *       "reason": "keyCompromise",
         *       "comment": "Laptop stolen from a car",
         *       "ticket": "INC-20417",
         *       "revokedAt": "2026-11-20T09:30:00.000Z",
         *       "invalidityDate": "2026-11-19T18:00:00.000Z",
         *       "requestedBy": {
         *         "id": "0199f2a0-4444-7000-8000-000000000004",
         *         "name": "security-officer"
         *       },
         *       "requestId": "0199f2a0-9999-7000-8000-000000000009",
         *       "createdAt": "2026-11-20T09:30:00.000Z",
         *       "confirmedAt": "2026-11-20T09:30:00.120Z",
         *       "attempts": 0,
         *       "lastError": null,
         *       "nextAttemptAt": null
         *     }
         */
        Revocation: {
            /** @description How often the CA was asked in vain. */
            attempts: number;
            certificateId: string;
            comment: string;
            /** Format: date-time */
            confirmedAt: string | null;
            /** Format: date-time */
            createdAt: string;
            id: string;
            /**
             * Format: date-time
             * @description Since when the certificate is not to be trusted.
             */
            invalidityDate: string | null;
            /** @description Why the CA has not heard yet. */
            lastError: {
                code: string;
                detail: string;
                /** @description The CA answered and would not; otherwise it was away. */
                refused: boolean;
            } | null;
            /**
             * Format: date-time
             * @description When the CA is asked again; null once it has heard.
             */
            nextAttemptAt: string | null;
            /** @enum {string} */
            reason: "unspecified" | "keyCompromise" | "affiliationChanged" | "superseded" | "cessationOfOperation" | "privilegeWithdrawn";
            requestedBy: components["schemas"]["OperatorRef"];
            /** @description Of the request that decided it: its audit events have it too. */
            requestId: string | null;
            /** Format: date-time */
            revokedAt: string;
            /**
             * @description proposed: decided and recorded, the CA is being told. confirmed: the CA has it.
             * @enum {string}
             */
            state: "proposed" | "confirmed";
            ticket: string | null;
        };
        /**
         * @example {
         *       "kind": "card",
         *       "id": "0199f2a0-3333-7000-8000-000000000003",
         *       "title": "CW-7K3M-92QF",
         *       "subtitle": "Mary Major on lap-0421",
         *       "state": "active"
         *     }
         */
        SearchHit: {
            id: string;
            /** @enum {string} */
            kind: "person" | "card" | "device" | "certificate";
            state: string | null;
            subtitle: string;
            title: string;
        };
        /**
         * @example {
         *       "items": [
         *         {
         *           "kind": "device",
         *           "id": "0199f2a0-2222-7000-8000-000000000002",
         *           "title": "lap-0421",
         *           "subtitle": "linux-x64",
         *           "state": null
         *         }
         *       ]
         *     }
         */
        SearchResult: {
            items: components["schemas"]["SearchHit"][];
        };
        /**
         * @example {
         *       "operator": {
         *         "id": "0199f2a0-4444-7000-8000-000000000004",
         *         "name": "helpdesk",
         *         "displayName": "Helen Desk",
         *         "role": "helpdesk"
         *       },
         *       "permissions": [
         *         "people:read",
         *         "unblock:perform"
         *       ],
         *       "expiresAt": "2026-03-02T17:00:00.000Z"
         *     }
         */
        Session: {
            /**
             * Format: date-time
             * @description Null for an API token that does not expire.
             */
            expiresAt: string | null;
            operator: components["schemas"]["Operator"];
            permissions: ("people:read" | "people:create" | "people:update" | "devices:read" | "devices:message" | "cards:read" | "cards:register" | "cards:retire" | "keys:change" | "puk:show" | "named-keys:manage" | "profiles:create" | "enrolments:read" | "enrolments:create" | "enrolments:cancel" | "unblock:read" | "unblock:perform" | "certificates:read" | "certificates:revoke" | "audit:read")[];
        };
        /**
         * @example {
         *       "userName": "helpdesk",
         *       "password": "correct horse battery staple"
         *     }
         */
        SignIn: {
            password: string;
            userName: string;
        };
        /**
         * @description What the TPM stated, byte for byte in base64, and how it was judged.
         * @example {
         *       "id": "0199f2a0-6666-7000-8000-000000000006",
         *       "state": "attested",
         *       "code": null,
         *       "judgedAt": "2026-11-20T09:00:00.000Z",
         *       "attestationKey": "AFgAIwAL",
         *       "evidence": {
         *         "nonce": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
         *         "key": {
         *           "public": "AHoAIwAL",
         *           "creationData": "AAAA",
         *           "statement": "/1RDR4Aa",
         *           "signature": "ABgACwAg"
         *         },
         *         "index": {
         *           "statement": "/1RDR4AU",
         *           "signature": "ABgACwAg"
         *         }
         *       }
         *     }
         */
        StoredEvidence: {
            /**
             * Format: byte
             * @description TPM2B_PUBLIC: who had to sign.
             */
            attestationKey: string | null;
            code: string | null;
            evidence: {
                index: {
                    signature: string;
                    statement: string;
                };
                key: {
                    creationData: string;
                    public: string;
                    signature: string;
                    statement: string;
                };
                nonce: string;
            };
            id: string;
            /** Format: date-time */
            judgedAt: string;
            /** @enum {string} */
            state: "attested" | "refused";
        };
        /**
         * @example {
         *       "kind": "successor",
         *       "keyVersion": 2,
         *       "name": "AAuq",
         *       "public": "AC4A",
         *       "duplicate": "AHYA",
         *       "inSymSeed": "AEQA",
         *       "approval": {
         *         "approvedPolicy": "EjRW",
         *         "signature": "eJq8"
         *       },
         *       "rehearsal": {
         *         "approvedPolicy": "EjRW",
         *         "signature": "eJq8"
         *       }
         *     }
         */
        SuccessorOffer: {
            /** @description By the old key: lets the new one do what it does. */
            approval: {
                /**
                 * Format: byte
                 * @description 32 bytes
                 */
                approvedPolicy: string;
                /**
                 * Format: byte
                 * @description HMAC-SHA-256, 32 bytes
                 */
                signature: string;
            };
            /**
             * Format: byte
             * @description TPM2B_PRIVATE, wrapped to the device.
             */
            duplicate: string;
            /**
             * Format: byte
             * @description TPM2B_ENCRYPTED_SECRET
             */
            inSymSeed: string;
            keyVersion: number;
            /** @enum {string} */
            kind: "successor";
            /**
             * Format: byte
             * @description The object's TPM Name.
             */
            name: string;
            /**
             * Format: byte
             * @description TPM2B_PUBLIC
             */
            public: string;
            /** @description By the new key: lets the card be tried with it, reading only. */
            rehearsal: {
                /**
                 * Format: byte
                 * @description 32 bytes
                 */
                approvedPolicy: string;
                /**
                 * Format: byte
                 * @description HMAC-SHA-256, 32 bytes
                 */
                signature: string;
            };
        };
        /**
         * @example {
         *       "id": "0199f2a0-aaaa-7000-8000-00000000000a",
         *       "deviceId": "0199f2a0-2222-7000-8000-000000000002",
         *       "card": {
         *         "id": "0199f2a0-3333-7000-8000-000000000003",
         *         "serial": "CW-7K3M-92QF"
         *       },
         *       "kind": "message",
         *       "state": "delivered",
         *       "message": "Please bring this laptop to the service desk on Friday.",
         *       "attempts": 1,
         *       "failure": null,
         *       "createdBy": {
         *         "id": "0199f2a0-4444-7000-8000-000000000004",
         *         "name": "helpdesk"
         *       },
         *       "createdAt": "2026-11-20T09:00:00.000Z",
         *       "deliveredAt": "2026-11-20T09:12:00.000Z",
         *       "finishedAt": null
         *     }
         */
        Task: {
            /** @description How often the device was told. */
            attempts: number;
            card: components["schemas"]["CardRef"] | null;
            /** Format: date-time */
            createdAt: string;
            createdBy: components["schemas"]["OperatorRef"];
            /** Format: date-time */
            deliveredAt: string | null;
            deviceId: string;
            failure: components["schemas"]["Failure"] | null;
            /** Format: date-time */
            finishedAt: string | null;
            id: string;
            /** @enum {string} */
            kind: "change-administrator-key" | "message" | "renew" | "re-attest" | "retire" | "destroy";
            message: string | null;
            /**
             * @description queued: waits for the next check-in. delivered: the device has not said yet what came of it.
             * @enum {string}
             */
            state: "queued" | "delivered" | "done" | "failed" | "cancelled";
        };
        /**
         * @example {
         *       "items": [
         *         {
         *           "id": "0199f2a0-aaaa-7000-8000-00000000000a",
         *           "deviceId": "0199f2a0-2222-7000-8000-000000000002",
         *           "card": {
         *             "id": "0199f2a0-3333-7000-8000-000000000003",
         *             "serial": "CW-7K3M-92QF"
         *           },
         *           "kind": "message",
         *           "state": "delivered",
         *           "message": "Please bring this laptop to the service desk on Friday.",
         *           "attempts": 1,
         *           "failure": null,
         *           "createdBy": {
         *             "id": "0199f2a0-4444-7000-8000-000000000004",
         *             "name": "helpdesk"
         *           },
         *           "createdAt": "2026-11-20T09:00:00.000Z",
         *           "deliveredAt": "2026-11-20T09:12:00.000Z",
         *           "finishedAt": null
         *         }
         *       ],
         *       "next": null
         *     }
         */
        TaskList: {
            items: components["schemas"]["Task"][];
            /** @description Send it as `cursor`. */
            next: string | null;
        };
        /**
         * @example {
         *       "sessionId": "0199f2a0-8888-7000-8000-000000000008",
         *       "confirmationCode": "482913",
         *       "expiresAt": "2026-11-20T09:10:00.000Z",
         *       "pollAfterSeconds": 2
         *     }
         */
        UnblockRequest: {
            /** @description The person reads it to the operator. */
            confirmationCode: string;
            /** Format: date-time */
            expiresAt: string;
            pollAfterSeconds: number;
            sessionId: string;
        };
        /**
         * @example {
         *       "state": "requested",
         *       "response": null
         *     }
         */
        UnblockRequestState: {
            /** @description The response as text, while the session is answered. */
            response: string | null;
            /** @enum {string} */
            state: "requested" | "open" | "answered" | "worked" | "failed" | "expired" | "refused";
        };
        /**
         * @example {
         *       "response": "1603 EBDF 1C8A 2E72",
         *       "lines": [
         *         "1603 EBDF 1C8A 2E72"
         *       ],
         *       "expiresAt": "2026-11-20T09:10:00.000Z"
         *     }
         */
        UnblockResponse: {
            /**
             * Format: date-time
             * @description Until when to show it.
             */
            expiresAt: string;
            lines: string[];
            /** @description The lines, joined by line feeds. */
            response: string;
        };
        /**
         * @example {
         *       "id": "0199f2a0-8888-7000-8000-000000000008",
         *       "cardId": "0199f2a0-3333-7000-8000-000000000003",
         *       "origin": "operator",
         *       "state": "open",
         *       "confirmationCode": null,
         *       "challengeFormat": {
         *         "kind": "base32",
         *         "bytes": 35
         *       },
         *       "verification": {
         *         "method": "call-back",
         *         "evidence": "Called back on the number on record"
         *       },
         *       "reason": "Forgot the PIN",
         *       "ticket": "INC-20417",
         *       "openedBy": {
         *         "id": "0199f2a0-4444-7000-8000-000000000004",
         *         "name": "helpdesk"
         *       },
         *       "createdAt": "2026-11-20T09:00:00.000Z",
         *       "expiresAt": "2026-11-20T09:10:00.000Z",
         *       "answeredAt": null,
         *       "allowedActions": [
         *         {
         *           "action": "answer",
         *           "allowed": true,
         *           "disabledReason": null
         *         }
         *       ]
         *     }
         */
        UnblockSession: {
            allowedActions: components["schemas"]["AllowedAction"][];
            /** Format: date-time */
            answeredAt: string | null;
            cardId: string;
            challengeFormat: {
                /** @description Of the challenge, before it was written as text. */
                bytes: number;
                /** @enum {string} */
                kind: "base32" | "hex";
            };
            /** @description Always null for operators: the person at the device reads it out. */
            confirmationCode: string | null;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            expiresAt: string;
            id: string;
            openedBy: components["schemas"]["OperatorRef"] | null;
            /**
             * @description device: it sent its challenge itself, and waits.
             * @enum {string}
             */
            origin: "operator" | "device";
            reason: string | null;
            /** @enum {string} */
            state: "requested" | "open" | "answered" | "worked" | "failed" | "expired" | "refused";
            ticket: string | null;
            verification: {
                evidence: string;
                method: string;
            } | null;
        };
        /**
         * @example {
         *       "items": [
         *         {
         *           "id": "0199f2a0-8888-7000-8000-000000000008",
         *           "cardId": "0199f2a0-3333-7000-8000-000000000003",
         *           "origin": "operator",
         *           "state": "open",
         *           "confirmationCode": null,
         *           "challengeFormat": {
         *             "kind": "base32",
         *             "bytes": 35
         *           },
         *           "verification": {
         *             "method": "call-back",
         *             "evidence": "Called back on the number on record"
         *           },
         *           "reason": "Forgot the PIN",
         *           "ticket": "INC-20417",
         *           "openedBy": {
         *             "id": "0199f2a0-4444-7000-8000-000000000004",
         *             "name": "helpdesk"
         *           },
         *           "createdAt": "2026-11-20T09:00:00.000Z",
         *           "expiresAt": "2026-11-20T09:10:00.000Z",
         *           "answeredAt": null,
         *           "allowedActions": [
         *             {
         *               "action": "answer",
         *               "allowed": true,
         *               "disabledReason": null
         *             }
         *           ]
         *         }
         *       ],
         *       "next": null
         *     }
         */
        UnblockSessionList: {
            items: components["schemas"]["UnblockSession"][];
            /** @description Send it as `cursor`. */
            next: string | null;
        };
        /**
         * @example {
         *       "keyVersion": 1,
         *       "name": "AAuq",
         *       "public": "AC4A",
         *       "duplicate": "AHYA",
         *       "inSymSeed": "AEQA"
         *     }
         */
        WrappedAdministratorKey: {
            /**
             * Format: byte
             * @description TPM2B_PRIVATE, wrapped to the device.
             */
            duplicate: string;
            /**
             * Format: byte
             * @description TPM2B_ENCRYPTED_SECRET
             */
            inSymSeed: string;
            keyVersion: number;
            /**
             * Format: byte
             * @description The key's TPM Name.
             */
            name: string;
            /**
             * Format: byte
             * @description TPM2B_PUBLIC
             */
            public: string;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    getAdministratorKeyChange: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                keyChangeId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeyChange"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    giveUpAdministratorKeyChange: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request gives the first answer again, for 24 hours. */
                "Idempotency-Key"?: string;
            };
            path: {
                keyChangeId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "reason": "The card refuses both keys"
                 *     }
                 */
                "application/json": {
                    /**
                     * @description Why. Kept in the audit log.
                     * @example Caller forgot the PIN
                     */
                    reason: string;
                };
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeyChange"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    cancelAdministratorKeyChange: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request gives the first answer again, for 24 hours. */
                "Idempotency-Key"?: string;
            };
            path: {
                keyChangeId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "reason": "Asked for the wrong card"
                 *     }
                 */
                "application/json": {
                    /**
                     * @description Why. Kept in the audit log.
                     * @example Caller forgot the PIN
                     */
                    reason: string;
                };
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeyChange"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    beginAttestation: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "endorsementKey": "AHoAIwAL",
                 *       "certificate": "MIIB",
                 *       "chain": [],
                 *       "attestationKey": "AFgAIwAL"
                 *     }
                 */
                "application/json": {
                    /**
                     * Format: byte
                     * @description TPM2B_PUBLIC
                     */
                    attestationKey: string;
                    /**
                     * Format: byte
                     * @description Of the endorsement key, DER.
                     */
                    certificate: string;
                    /** @description DER: certificates below the root. */
                    chain: string[];
                    /**
                     * Format: byte
                     * @description TPM2B_PUBLIC
                     */
                    endorsementKey: string;
                };
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HiddenCredential"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    activateAttestation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                attestationId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "credential": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
                 *       "storageKey": "AHoAIwAL",
                 *       "proof": {
                 *         "statement": "/1RDR4AX",
                 *         "signature": "ABgACwAg"
                 *       }
                 *     }
                 */
                "application/json": {
                    /** Format: byte */
                    credential: string;
                    proof: {
                        /**
                         * Format: byte
                         * @description TPMT_SIGNATURE, ECDSA P-256 with SHA-256
                         */
                        signature: string;
                        /**
                         * Format: byte
                         * @description TPMS_ATTEST
                         */
                        statement: string;
                    };
                    /**
                     * Format: byte
                     * @description TPM2B_PUBLIC
                     */
                    storageKey: string;
                };
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeviceAttested"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listOwnCards: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeviceCards"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    prepareCardApproval: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                cardId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "confirmationCode": "482913"
                 *     }
                 */
                "application/json": {
                    /** @description As the device shows it that asks for the new PIN. */
                    confirmationCode: string;
                };
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CardApprovalRequest"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    approveWithCard: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                cardId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "sessionId": "0199f2a0-8888-7000-8000-000000000008",
                 *       "confirmationCode": "482913",
                 *       "certificateId": "0199f2a0-5555-7000-8000-000000000005",
                 *       "signature": "MEUCIQD="
                 *     }
                 */
                "application/json": {
                    /** Format: uuid */
                    certificateId: string;
                    /** @description As the device shows it that asks for the new PIN. */
                    confirmationCode: string;
                    /** Format: uuid */
                    sessionId: string;
                    /**
                     * Format: byte
                     * @description ECDSA in DER, or RSA PKCS #1 v1.5.
                     */
                    signature: string;
                };
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CardApproval"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    renewCertificate: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                cardId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "container": "sign-in",
                 *       "replaces": "0199f2a0-5555-7000-8000-000000000005"
                 *     }
                 */
                "application/json": {
                    container: string;
                    /**
                     * Format: byte
                     * @description PKCS #10, DER.
                     */
                    csr?: string;
                    evidence?: components["schemas"]["KeyEvidence"];
                    /** @description A statement of just these facts, which both ends write for themselves (services/cms/enrolment/README.md), signed by a certificate of the same person that is in force. */
                    proof?: {
                        /** @description Compact, with detached content (RFC 7515, appendix F); the header has alg and x5t#S256, or x5c. */
                        jws: string;
                    } | {
                        /**
                         * Format: byte
                         * @description SignedData (RFC 5652) of one signer, DER.
                         */
                        cms: string;
                    };
                    /** Format: uuid */
                    replaces: string;
                };
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RenewedCertificate"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    confirmRenewal: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                cardId: string;
                certificateId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /** @example {} */
                "application/json": Record<string, never>;
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RenewalConfirmation"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    destroyCard: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                cardId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /** @example {} */
                "application/json": Record<string, never>;
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Destruction"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    attestCard: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                cardId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "keys": []
                 *     }
                 */
                "application/json": {
                    keys: {
                        container: string;
                        evidence: components["schemas"]["KeyEvidence"];
                    }[];
                };
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CardAttested"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listRenewals: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                cardId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Renewals"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    requestUnblock: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                cardId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "challenge": "0WK2 Q3MD 7F1S 9C2X 4VBN",
                 *       "triesLeft": 0
                 *     }
                 */
                "application/json": {
                    /** @description The text as the card shows it. */
                    challenge: string;
                    triesLeft: number;
                };
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UnblockRequest"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    checkIn: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "cards": [
                 *         {
                 *           "cardId": "0199f2a0-3333-7000-8000-000000000003",
                 *           "triesLeft": 5,
                 *           "blocked": false,
                 *           "administratorKeyVersion": 1
                 *         }
                 *       ],
                 *       "agentVersion": "0.1.0"
                 *     }
                 */
                "application/json": {
                    agentVersion?: string;
                    cards: {
                        /** @description The newest that the device has, or that it knows the card to have. */
                        administratorKeyVersion?: number;
                        blocked: boolean;
                        /** Format: uuid */
                        cardId: string;
                        /**
                         * @description Of a card whose first PIN is handed over: whether its holder has set their own.
                         * @enum {string}
                         */
                        initialPin?: "pending" | "set";
                        triesLeft: number;
                    }[];
                    tpm?: {
                        firmware: string;
                        manufacturer: string;
                        revision: string;
                    };
                };
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CheckIn"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    reportReadiness: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "agentVersion": "0.1.0",
                 *       "checkedAt": "2026-03-02T09:13:58.000Z",
                 *       "tpm": {
                 *         "manufacturer": "IFX",
                 *         "firmware": "7.85.4555.0",
                 *         "revision": "1.59"
                 *       },
                 *       "findings": [
                 *         {
                 *           "check": "pin-index",
                 *           "level": "ok",
                 *           "message": "A PIN index was made and removed again.",
                 *           "advice": null
                 *         },
                 *         {
                 *           "check": "endorsement-certificate",
                 *           "level": "warning",
                 *           "message": "The TPM holds no certificate of its maker: it can't prove that it is one.",
                 *           "advice": "Some makers publish it (tpm2_getekcertificate). Profiles that require attestation refuse this device."
                 *         }
                 *       ]
                 *     }
                 */
                "application/json": {
                    agentVersion: string;
                    /** Format: date-time */
                    checkedAt: string;
                    findings: {
                        advice: string | null;
                        check: string;
                        /** @enum {string} */
                        level: "ok" | "warning" | "problem";
                        message: string;
                    }[];
                    tpm: {
                        firmware: string;
                        manufacturer: string;
                        revision: string;
                    } | null;
                };
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeviceReportTaken"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    makeAdministratorKey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                enrolmentId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "parentPublic": "AHoAIwAL"
                 *     }
                 */
                "application/json": {
                    /**
                     * Format: byte
                     * @description TPM2B_PUBLIC of the storage key.
                     */
                    parentPublic: string;
                };
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WrappedAdministratorKey"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    requestCertificate: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                enrolmentId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "container": "sign-in",
                 *       "csr": "MIHIMHAC"
                 *     }
                 */
                "application/json": {
                    container: string;
                    /**
                     * Format: byte
                     * @description PKCS #10, DER.
                     */
                    csr: string;
                    evidence?: components["schemas"]["KeyEvidence"];
                    /** @description A statement of just these facts, which both ends write for themselves (services/cms/enrolment/README.md), signed by a certificate of the same person that is in force. */
                    proof?: {
                        /** @description Compact, with detached content (RFC 7515, appendix F); the header has alg and x5t#S256, or x5c. */
                        jws: string;
                    } | {
                        /**
                         * Format: byte
                         * @description SignedData (RFC 5652) of one signer, DER.
                         */
                        cms: string;
                    };
                };
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IssuedCertificate"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    completeEnrolment: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                enrolmentId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "nvIndex": 25165824
                 *     }
                 */
                "application/json": {
                    /** @description TPM NV handle. */
                    nvIndex: number;
                };
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EnrolmentCompletion"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    approveFirstWrite: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                enrolmentId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "keyVersion": 1,
                 *       "nvIndex": 25165824,
                 *       "nonce": "AAAAAAAAAAAAAAAAAAAAAA=="
                 *     }
                 */
                "application/json": {
                    keyVersion: number;
                    /** @description nonceTPM, 16 bytes, base64. */
                    nonce: string;
                    /** @description TPM NV handle. */
                    nvIndex: number;
                };
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FirstWriteApproval"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    askSupervision: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                enrolmentId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /** @example {} */
                "application/json": Record<string, never>;
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InitialPinSupervision"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    giveProofNonce: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                enrolmentId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /** @example {} */
                "application/json": Record<string, never>;
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EnrolmentProofNonce"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    claimEnrolment: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "code": "7K3M-92QF-XD4T",
                 *       "deviceToken": "4wI0uGgZQ1yUQm3hX0m0y0S2m7G2qv4bq2e1x4n6T8k",
                 *       "device": {
                 *         "hostName": "lap-0421",
                 *         "platform": "linux-x64",
                 *         "storageKeyName": "000b01",
                 *         "tpm": null
                 *       }
                 *     }
                 */
                "application/json": {
                    code: string;
                    device: {
                        hostName: string;
                        platform: string;
                        /** @description Name of the SRK, hex. */
                        storageKeyName: string;
                        tpm: {
                            firmware: string;
                            manufacturer: string;
                            revision: string;
                        } | null;
                    };
                    /** @description 32 random bytes, base64url. */
                    deviceToken: string;
                };
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Claim"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    giveEvidenceNonce: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /** @example {} */
                "application/json": Record<string, never>;
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EvidenceNonce"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    protectLockout: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "parentPublic": "AFoAIwALAAMEcg=="
                 *     }
                 */
                "application/json": {
                    /** Format: byte */
                    parentPublic: string;
                };
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LockoutProtection"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    answerCardForKeyChange: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                taskId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "keyVersion": 1,
                 *       "challenge": "FgPr3xyKLnI="
                 *     }
                 */
                "application/json": {
                    /** Format: byte */
                    challenge: string;
                    /** @description The old one or the new one. */
                    keyVersion: number;
                };
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CardAnswer"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    offerAdministratorKey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                taskId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "parentPublic": "AHoAIwAL"
                 *     }
                 */
                "application/json": {
                    /**
                     * Format: byte
                     * @description TPM2B_PUBLIC of the storage key.
                     */
                    parentPublic: string;
                };
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeyOffer"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    reportTask: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                taskId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "outcome": "done",
                 *       "keyVersion": 2
                 *     }
                 */
                "application/json": {
                    /** @description Why it failed. */
                    code?: string;
                    /** @description The same for a person. */
                    detail?: string;
                    /** @description Of a key change: the administrator key that the card is known to have now. */
                    keyVersion?: number;
                    /** @enum {string} */
                    outcome: "done" | "failed";
                };
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReportedTask"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    signDeviceIn: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "grantType": "urn:ietf:params:oauth:grant-type:jwt-bearer",
                 *       "assertion": "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiIxIn0.c2lnbmF0dXJl"
                 *     }
                 */
                "application/json": {
                    assertion: string;
                    /** @enum {string} */
                    grantType: "urn:ietf:params:oauth:grant-type:jwt-bearer";
                };
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeviceAccessToken"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    pollUnblockRequest: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                sessionId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UnblockRequestState"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    reportOwnUnblockOutcome: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                sessionId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "outcome": "worked"
                 *     }
                 */
                "application/json": {
                    /** @enum {string} */
                    outcome: "worked" | "failed";
                };
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UnblockRequestState"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listAuditEvents: {
        parameters: {
            query?: {
                /** @example unblock.answered */
                action?: string;
                actorId?: string;
                cardId?: string;
                certificateId?: string;
                /** @description `next` of the page before. */
                cursor?: string;
                deviceId?: string;
                enrolmentId?: string;
                /** @description At or after. */
                from?: string;
                limit?: number;
                outcome?: "done" | "refused";
                personId?: string;
                /** @description All that one request led to, later too. */
                requestId?: string;
                /** @description Before. */
                to?: string;
                unblockSessionId?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditEventList"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    actOnAuthority: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request gives the first answer again, for 24 hours. */
                "Idempotency-Key"?: string;
            };
            path: {
                authority: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewAuthorityAct"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Operation"];
                };
            };
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Operation"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    importCards: {
        parameters: {
            query?: {
                /** @description Also keys that another card has. */
                acceptDuplicates?: boolean;
                /** @description Judge every line and change nothing. */
                dryRun?: boolean;
                /** @description Of the import, chosen by the caller: sent again, it is the same import. */
                id?: string;
            };
            header?: {
                /** @description The same key with the same request gives the first answer again, for 24 hours. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/x-ndjson": components["schemas"]["CardImportFile"];
                "text/csv": components["schemas"]["CardImportFile"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CardImport"];
                };
            };
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CardImport"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getCardImport: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                importId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CardImport"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listCardProfiles: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CardProfileList"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createCardProfile: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request gives the first answer again, for 24 hours. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewCardProfile"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CardProfile"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getCardProfile: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CardProfile"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    changeCardProfile: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of what is to be changed. Needed. */
                "If-Match"?: string;
            };
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChangedCardProfile"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CardProfile"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    setKeyRotation: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request gives the first answer again, for 24 hours. */
                "Idempotency-Key"?: string;
            };
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "keyRotationDays": 365,
                 *       "reason": "Policy of 2026"
                 *     }
                 */
                "application/json": {
                    keyRotationDays: number | null;
                    /**
                     * @description Why. Kept in the audit log.
                     * @example Caller forgot the PIN
                     */
                    reason: string;
                };
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CardProfile"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    setAttestationPolicy: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request gives the first answer again, for 24 hours. */
                "Idempotency-Key"?: string;
            };
            path: {
                profileName: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "policy": "required",
                 *       "reason": "All our machines have a TPM of a known maker"
                 *     }
                 */
                "application/json": {
                    /** @enum {string} */
                    policy: "required" | "preferred" | "off";
                    /**
                     * @description Why. Kept in the audit log.
                     * @example Caller forgot the PIN
                     */
                    reason: string;
                };
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AttestationPolicy"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listCards: {
        parameters: {
            query?: {
                /** @description `next` of the page before. */
                cursor?: string;
                deviceId?: string;
                keyStrategy?: "uniform" | "random-not-stored" | "random-stored" | "deterministic";
                limit?: number;
                /** @description All cards that depend on this key: those to reissue when it is compromised. */
                namedKey?: string;
                personId?: string;
                /** @description Part of the card's serial. */
                q?: string;
                state?: "requested" | "created" | "active" | "blocked" | "suspended" | "retired" | "lost" | "compromised" | "destroyed";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CardList"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    registerCard: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request gives the first answer again, for 24 hours. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewCard"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Card"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getCard: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                cardId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Card"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listAdministratorKeyChanges: {
        parameters: {
            query?: {
                /** @description `next` of the page before. */
                cursor?: string;
                limit?: number;
            };
            header?: never;
            path: {
                cardId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeyChangeList"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    changeAdministratorKey: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request gives the first answer again, for 24 hours. */
                "Idempotency-Key"?: string;
            };
            path: {
                cardId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewKeyChange"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeyChange"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listCardCertificates: {
        parameters: {
            query?: {
                /** @description `next` of the page before. */
                cursor?: string;
                limit?: number;
            };
            header?: never;
            path: {
                cardId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CertificateList"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listCardActs: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                cardId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LifeCycleActList"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    actOnCard: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request gives the first answer again, for 24 hours. */
                "Idempotency-Key"?: string;
            };
            path: {
                cardId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewLifeCycleAct"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LifeCyclePreview"];
                };
            };
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LifeCycleResult"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    disclosePuk: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request gives the first answer again, for 24 hours. */
                "Idempotency-Key"?: string;
            };
            path: {
                cardId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewPukDisclosure"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PukDisclosure"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    askForEvidence: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request gives the first answer again, for 24 hours. */
                "Idempotency-Key"?: string;
            };
            path: {
                cardId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "reason": "The maker of its TPM published a defect"
                 *     }
                 */
                "application/json": {
                    /**
                     * @description Why. Kept in the audit log.
                     * @example Caller forgot the PIN
                     */
                    reason: string;
                };
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReAttestation"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    reissueCard: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request gives the first answer again, for 24 hours. */
                "Idempotency-Key"?: string;
            };
            path: {
                cardId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewReissue"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedEnrolment"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    retireCard: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request gives the first answer again, for 24 hours. */
                "Idempotency-Key"?: string;
            };
            path: {
                cardId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewRetirement"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Card"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listCardUnblockSessions: {
        parameters: {
            query?: {
                /** @description `next` of the page before. */
                cursor?: string;
                limit?: number;
            };
            header?: never;
            path: {
                cardId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UnblockSessionList"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    openUnblockSession: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request gives the first answer again, for 24 hours. */
                "Idempotency-Key"?: string;
            };
            path: {
                cardId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "verification": {
                 *         "method": "call-back",
                 *         "evidence": "Called back on the number on record"
                 *       },
                 *       "reason": "Forgot the PIN",
                 *       "ticket": "INC-20417"
                 *     }
                 */
                "application/json": {
                    /**
                     * @description Why. Kept in the audit log.
                     * @example Caller forgot the PIN
                     */
                    reason: string;
                    /**
                     * @description Reference in a ticket system.
                     * @example INC-20417
                     */
                    ticket?: string;
                    /** @description How the caller was identified. */
                    verification: {
                        /** @description What proved who the caller is. Kept in the audit log. */
                        evidence: string;
                        /** @enum {string} */
                        method: "in-person" | "video" | "call-back" | "manager";
                    };
                };
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UnblockSession"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listCertificateAuthorities: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CertificateAuthorityList"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    recordHandRevocation: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request gives the first answer again, for 24 hours. */
                "Idempotency-Key"?: string;
            };
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "serialNumber": "5f0c3d9a1be24c7788aa10bb42cc93de",
                 *       "comment": "Revoked in the console of the CA"
                 *     }
                 */
                "application/json": {
                    /** @description How it was done. Kept in the audit log. */
                    comment: string;
                    serialNumber: string;
                    /**
                     * @description Reference in a ticket system.
                     * @example INC-20417
                     */
                    ticket?: string;
                };
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HandRevocation"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    countCertificateExpiries: {
        parameters: {
            query?: {
                certificateProfile?: string;
                /**
                 * @description This month, when left out.
                 * @example 2027-11
                 */
                from?: string;
                months?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CertificateExpiries"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listCertificateExpiries: {
        parameters: {
            query?: {
                certificateProfile?: string;
                /** @description `next` of the page before. */
                cursor?: string;
                limit?: number;
            };
            header?: never;
            path: {
                /** @example 2027-11 */
                month: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CertificateList"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listCertificateProfiles: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CertificateProfileList"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createCertificateProfile: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request gives the first answer again, for 24 hours. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewCertificateProfile"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CertificateProfile"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getCertificateProfile: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CertificateProfile"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    changeCertificateProfile: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of what is to be changed. Needed. */
                "If-Match"?: string;
            };
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChangedCertificateProfile"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CertificateProfile"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listCertificateProfileVersions: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CertificateProfileList"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    previewCertificate: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request gives the first answer again, for 24 hours. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CertificatePreviewRequest"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CertificatePreview"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listCertificates: {
        parameters: {
            query?: {
                /** @description A past moment, RFC 3339. */
                asOf?: string;
                assurance?: "none" | "low" | "substantial" | "high";
                /** @description Name of a CA. */
                authority?: string;
                cardId?: string;
                certificateProfile?: string;
                /** @description `next` of the page before. */
                cursor?: string;
                deviceId?: string;
                limit?: number;
                personId?: string;
                /** @description SHA-256 of the SubjectPublicKeyInfo in hex. */
                publicKey?: string;
                /** @description Hex in either case, leading zeros ignored. */
                serialNumber?: string;
                status?: "proposed" | "active" | "on-hold" | "revoked" | "expired" | "failed";
                /** @description SHA-256 of the DER in hex. */
                thumbprint?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CertificateList"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getCertificate: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                certificateId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Certificate"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listEvidence: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                certificateId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EvidenceList"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getCertificateHistory: {
        parameters: {
            query?: {
                /** @description `next` of the page before. */
                cursor?: string;
                limit?: number;
            };
            header?: never;
            path: {
                certificateId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CertificateHistory"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listHolds: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                certificateId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CertificateHoldList"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    holdCertificate: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request gives the first answer again, for 24 hours. */
                "Idempotency-Key"?: string;
            };
            path: {
                certificateId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "comment": "Laptop not found at home",
                 *       "ticket": "INC-20417"
                 *     }
                 */
                "application/json": {
                    /** @description Why, in words. Kept in the audit log. */
                    comment: string;
                    /**
                     * @description Reference in a ticket system.
                     * @example INC-20417
                     */
                    ticket?: string;
                };
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CertificateHold"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    releaseCertificate: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request gives the first answer again, for 24 hours. */
                "Idempotency-Key"?: string;
            };
            path: {
                certificateId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "comment": "Laptop not found at home",
                 *       "ticket": "INC-20417"
                 *     }
                 */
                "application/json": {
                    /** @description Why, in words. Kept in the audit log. */
                    comment: string;
                    /**
                     * @description Reference in a ticket system.
                     * @example INC-20417
                     */
                    ticket?: string;
                };
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CertificateHold"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    requestRenewal: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request gives the first answer again, for 24 hours. */
                "Idempotency-Key"?: string;
            };
            path: {
                certificateId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "reason": "The name of its holder has changed",
                 *       "ticket": "INC-20417"
                 *     }
                 */
                "application/json": {
                    /**
                     * @description Why. Kept in the audit log.
                     * @example Caller forgot the PIN
                     */
                    reason: string;
                    /**
                     * @description Reference in a ticket system.
                     * @example INC-20417
                     */
                    ticket?: string;
                };
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RequestedRenewal"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getRevocation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                certificateId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Revocation"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    revokeCertificate: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request gives the first answer again, for 24 hours. */
                "Idempotency-Key"?: string;
            };
            path: {
                certificateId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "reason": "keyCompromise",
                 *       "comment": "Laptop stolen from a car",
                 *       "ticket": "INC-20417"
                 *     }
                 */
                "application/json": {
                    /** @description Why, in words. Kept in the audit log. */
                    comment: string;
                    /**
                     * Format: date-time
                     * @description RFC 5280 section 5.3.2: since when the certificate is not to be trusted. Within its life so far.
                     */
                    invalidityDate?: string;
                    /**
                     * @description RFC 5280 section 5.3.1.
                     * @enum {string}
                     */
                    reason: "unspecified" | "keyCompromise" | "affiliationChanged" | "superseded" | "cessationOfOperation" | "privilegeWithdrawn";
                    /**
                     * @description Reference in a ticket system.
                     * @example INC-20417
                     */
                    ticket?: string;
                };
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Revocation"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listDevices: {
        parameters: {
            query?: {
                /** @description `next` of the page before. */
                cursor?: string;
                hostName?: string;
                limit?: number;
                q?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeviceList"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getDevice: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                deviceId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeviceDetail"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listDeviceActs: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                deviceId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LifeCycleActList"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    actOnDevice: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request gives the first answer again, for 24 hours. */
                "Idempotency-Key"?: string;
            };
            path: {
                deviceId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewLifeCycleAct"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LifeCyclePreview"];
                };
            };
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LifeCycleResult"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    resetLockout: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request gives the first answer again, for 24 hours. */
                "Idempotency-Key"?: string;
            };
            path: {
                deviceId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "challenge": "1603 EBDF 1C8A 2E72",
                 *       "verification": {
                 *         "method": "call-back",
                 *         "evidence": "Called back on the number on record"
                 *       },
                 *       "reason": "Disk password mistyped too often"
                 *     }
                 */
                "application/json": {
                    /** @description Any case and spacing. */
                    challenge: string;
                    /**
                     * @description Why. Kept in the audit log.
                     * @example Caller forgot the PIN
                     */
                    reason: string;
                    /**
                     * @description Reference in a ticket system.
                     * @example INC-20417
                     */
                    ticket?: string;
                    verification: {
                        /** @description What proved who asks. Kept in the audit log. */
                        evidence: string;
                        /** @enum {string} */
                        method: "in-person" | "video" | "call-back" | "manager";
                    };
                };
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LockoutReset"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    sendMessage: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request gives the first answer again, for 24 hours. */
                "Idempotency-Key"?: string;
            };
            path: {
                deviceId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewMessage"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Task"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listDeviceTasks: {
        parameters: {
            query?: {
                /** @description `next` of the page before. */
                cursor?: string;
                limit?: number;
            };
            header?: never;
            path: {
                deviceId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskList"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listEnrolments: {
        parameters: {
            query?: {
                /** @description `next` of the page before. */
                cursor?: string;
                limit?: number;
                personId?: string;
                state?: "open" | "claimed" | "completed" | "cancelled" | "expired";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EnrolmentList"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createEnrolment: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request gives the first answer again, for 24 hours. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "personId": "0199f2a0-1111-7000-8000-000000000001",
                 *       "validForSeconds": 86400
                 *     }
                 */
                "application/json": {
                    /** @default tpm-default */
                    cardProfile?: string;
                    /**
                     * @description One of the card profile's; its first one, if it is left out.
                     * @enum {string}
                     */
                    method?: "code" | "on-behalf" | "existing-certificate" | "pre-provisioned";
                    /** Format: uuid */
                    personId: string;
                    /** @default 86400 */
                    validForSeconds?: number;
                    /** @description How the person was identified. Who says so vouches for them, for as long as the card is in use. */
                    verification?: {
                        /** @description What proved who the person is. Kept in the audit log. */
                        evidence: string;
                        /** @enum {string} */
                        method: "in-person" | "video" | "call-back" | "manager";
                        note?: string;
                    };
                };
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedEnrolment"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getEnrolment: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                enrolmentId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Enrolment"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    cancelEnrolment: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request gives the first answer again, for 24 hours. */
                "Idempotency-Key"?: string;
            };
            path: {
                enrolmentId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "reason": "Sent to the wrong person"
                 *     }
                 */
                "application/json": {
                    /**
                     * @description Why. Kept in the audit log.
                     * @example Caller forgot the PIN
                     */
                    reason: string;
                };
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Enrolment"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    confirmInitialPin: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request gives the first answer again, for 24 hours. */
                "Idempotency-Key"?: string;
            };
            path: {
                enrolmentId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "confirmationCode": "482913",
                 *       "verification": {
                 *         "method": "in-person",
                 *         "evidence": "Passport, photograph compared"
                 *       }
                 *     }
                 */
                "application/json": {
                    /** @description As the device shows it. */
                    confirmationCode: string;
                    /** @description How the person was identified. Who says so vouches for them, for as long as the card is in use. */
                    verification: {
                        /** @description What proved who the person is. Kept in the audit log. */
                        evidence: string;
                        /** @enum {string} */
                        method: "in-person" | "video" | "call-back" | "manager";
                        note?: string;
                    };
                };
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EnrolmentVouchers"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listVouchers: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                enrolmentId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EnrolmentVouchers"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listNamedKeys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NamedKeyList"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    takeNamedKey: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request gives the first answer again, for 24 hours. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewNamedKey"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NamedKey"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listOperations: {
        parameters: {
            query?: {
                /** @description `next` of the page before. */
                cursor?: string;
                limit?: number;
                state?: "planned" | "running" | "done" | "cancelled" | "expired";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationList"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getOperation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                operationId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Operation"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    cancelOperation: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request gives the first answer again, for 24 hours. */
                "Idempotency-Key"?: string;
            };
            path: {
                operationId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "reason": "The wrong list"
                 *     }
                 */
                "application/json": {
                    /**
                     * @description Why. Kept in the audit log.
                     * @example Caller forgot the PIN
                     */
                    reason: string;
                    /**
                     * @description Reference in a ticket system.
                     * @example INC-20417
                     */
                    ticket?: string;
                };
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Operation"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listOperationItems: {
        parameters: {
            query?: {
                /** @description `next` of the page before. */
                cursor?: string;
                limit?: number;
                state?: "pending" | "decided" | "done" | "failed" | "skipped";
            };
            header?: never;
            path: {
                operationId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationItemList"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listPeople: {
        parameters: {
            query?: {
                /** @description `next` of the page before. */
                cursor?: string;
                limit?: number;
                q?: string;
                userPrincipalName?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PersonList"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createPerson: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request gives the first answer again, for 24 hours. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewPerson"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Person"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getPerson: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                personId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Person"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    changePerson: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of what is to be changed. Needed. */
                "If-Match"?: string;
            };
            path: {
                personId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PersonChange"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChangedPerson"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listPersonActs: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                personId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LifeCycleActList"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    actOnPerson: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request gives the first answer again, for 24 hours. */
                "Idempotency-Key"?: string;
            };
            path: {
                personId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewLifeCycleAct"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LifeCyclePreview"];
                };
            };
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LifeCycleResult"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    planRevocationBatch: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request gives the first answer again, for 24 hours. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewRevocationBatch"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Operation"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    runRevocationBatch: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request gives the first answer again, for 24 hours. */
                "Idempotency-Key"?: string;
            };
            path: {
                operationId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /** @example {} */
                "application/json": Record<string, never>;
            };
        };
        responses: {
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Operation"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listRevocations: {
        parameters: {
            query?: {
                /** @description Name of the CA. */
                authority?: string;
                /** @description `next` of the page before. */
                cursor?: string;
                limit?: number;
                state?: "proposed" | "confirmed";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QueuedRevocationList"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    search: {
        parameters: {
            query: {
                q: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SearchResult"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getSession: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    signIn: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SignIn"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    signOut: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listUnblockSessions: {
        parameters: {
            query?: {
                /** @description `next` of the page before. */
                cursor?: string;
                limit?: number;
                state?: "requested" | "open" | "answered" | "worked" | "failed" | "expired" | "refused";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UnblockSessionList"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getUnblockSession: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                unblockSessionId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UnblockSession"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    approveUnblock: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request gives the first answer again, for 24 hours. */
                "Idempotency-Key"?: string;
            };
            path: {
                unblockSessionId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "confirmationCode": "482913",
                 *       "verification": {
                 *         "method": "call-back",
                 *         "evidence": "Called back on the number on record"
                 *       },
                 *       "reason": "Forgot the PIN"
                 *     }
                 */
                "application/json": {
                    /** @description As the person at the device reads it out. */
                    confirmationCode: string;
                    /**
                     * @description Why. Kept in the audit log.
                     * @example Caller forgot the PIN
                     */
                    reason: string;
                    /**
                     * @description Reference in a ticket system.
                     * @example INC-20417
                     */
                    ticket?: string;
                    /** @description How the caller was identified. */
                    verification: {
                        /** @description What proved who the caller is. Kept in the audit log. */
                        evidence: string;
                        /** @enum {string} */
                        method: "in-person" | "video" | "call-back" | "manager";
                    };
                };
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UnblockSession"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    reportUnblockOutcome: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request gives the first answer again, for 24 hours. */
                "Idempotency-Key"?: string;
            };
            path: {
                unblockSessionId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "outcome": "worked"
                 *     }
                 */
                "application/json": {
                    note?: string;
                    /** @enum {string} */
                    outcome: "worked" | "failed";
                };
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UnblockSession"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    refuseUnblock: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request gives the first answer again, for 24 hours. */
                "Idempotency-Key"?: string;
            };
            path: {
                unblockSessionId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "reason": "Caller could not be identified"
                 *     }
                 */
                "application/json": {
                    /**
                     * @description Why. Kept in the audit log.
                     * @example Caller forgot the PIN
                     */
                    reason: string;
                };
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UnblockSession"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    answerChallenge: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request gives the first answer again, for 24 hours. */
                "Idempotency-Key"?: string;
            };
            path: {
                unblockSessionId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "challenge": "1603 EBDF 1C8A 2E72"
                 *     }
                 */
                "application/json": {
                    /** @description Any case and spacing. */
                    challenge: string;
                };
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UnblockResponse"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getImportKey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ImportKey"];
                };
            };
            /** @description Refused: see `code`. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
