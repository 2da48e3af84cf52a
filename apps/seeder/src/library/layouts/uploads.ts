export const uploads = ''
