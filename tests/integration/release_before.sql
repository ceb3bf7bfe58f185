INSERT INTO units (id, institution_id, path, code, name, created_at) VALUES ('u1', 'u1', 'u1/', 'kota', 'Kota', 1);
INSERT INTO policies (id, version, institution_id, name, kind, minutes_per_jp, tolerance_s, grace_s, lecturer_earns, quiet_period_s, created_at)
VALUES ('a', 1, 'u1', 'P', 'proportional', 45, 0, 0, true, 0, 1), ('b', 1, 'u1', 'P', 'proportional', 45, 0, 0, false, 0, 1);
INSERT INTO persons (id, institution_id, unit_id, name, sort_name, employment, zone, language, version, created_at)
VALUES ('p1', 'u1', 'u1', 'Siti', 'siti', 'pns', 'Asia/Jakarta', 'id', 1, 1);
INSERT INTO lectures (id, institution_id, unit_id, title, description, starts_wall, ends_wall, zone, starts_at, ends_at, jp, policy_id, policy_version, recorded, state, open_before_s, overrun_s, live_by, closes_at, trial, sequence, version, created_at, updated_at)
VALUES ('l1', 'u1', 'u1', 'T', '', 'w', 'w', 'Asia/Jakarta', 0, 100, 200, 'a', 1, false, 'final', 0, 0, 'schedule', 100, false, 0, 1, 1, 1);
INSERT INTO registrations (id, institution_id, lecture_id, person_id, role, seat, state, link_generation, link_digest, created_at)
VALUES ('r1', 'u1', 'l1', 'p1', 'participant', 's', 'registered', 1, 'd', 1);
INSERT INTO attendance (registration_id, lecture_id, person_id, seconds, uncertainty_s, jp, state, intervals, why, rules_version, high_water, computed_at)
VALUES ('r1', 'l1', 'p1', 9, 0, 200, 'credited', '[[5, 20, ["webhook"], 0], [30, 90, ["webhook"], 0]]', '[]', 1, '{"webhooks": 7}', 3);
INSERT INTO ledger (institution_id, number, key, person_id, lecture_id, year, kind, jp, body, at, previous_digest, digest)
VALUES ('u1', 1, 'k1', 'p1', 'l1', 2026, 'credit', 200, '{}', 1, '', ''), ('u1', 2, 'k2', 'p1', 'l1', 2026, 'credit', -50, '{}', 1, '', '')
