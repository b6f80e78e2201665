/** (Placeholder.) */
export function serveCrowd() {}
