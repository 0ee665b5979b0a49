/** Models retire quickly: a name is a setting with a default, and stands nowhere else. */
export const defaultRealtimeModel = 'gpt-realtime-2.1'
