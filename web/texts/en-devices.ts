/** The part of en.ts about what a device says of its TPM, and about a TPM that has locked itself. */
export const devicesEn = {
  devices: {
    platform: 'Platform',
    tpm: 'TPM',
    tpmFacts: (manufacturer: string, firmware: string, revision: string) =>
      `${manufacturer}, firmware ${firmware}, revision ${revision}`,
    attestation: 'Attestation',
    unattested: 'Not proven: what stands here of the TPM is the device’s own word',
    attested: (manufacturer: string, model: string, firmware: string) =>
      `Proven by its maker’s certificate: ${manufacturer}, ${model}, firmware ${firmware}`,
    tpmChanged: (at: string) =>
      `Another TPM spoke in the name of this device at ${at}, and was refused. Retire its cards and have it enrolled anew.`,
    checkedIn: 'Last check-in',
    never: 'Never',
    agent: 'Agent',
    since: 'Known since',
    noCards: 'There is no card on this device.',
  },
  readiness: {
    title: 'Readiness',
    lead: 'The device examined itself',
    none: 'The agent of this device has not examined it yet.',
  },
  lockout: {
    act: 'Reset lockout',
    title: (hostName: string) => `Reset the lockout of the TPM of ${hostName}?`,
    what: 'The TPM counts wrong tries of everything on the computer, and may lock itself for a while. The person runs “cardwright-agent reset-lockout” and reads its challenge to you. The response forgives the tries once; it changes no PIN.',
    confirm: 'Get response',
    responseTitle: (hostName: string) => `Response for ${hostName}`,
    read: 'Have the person type this where the agent asks for it. It works once, and on this computer only.',
    hide: 'Done: hide it',
  },
};
