export const TAKES = ['weights', 'command'];
export const take = () => ({});
