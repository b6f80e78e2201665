export const findings = () => [];
