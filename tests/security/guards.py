"""What holds each threat of docs/security.md: a line of code or configuration, and the test that fails without it.

`scripts/check_guards.py` takes each guard out of a copy of the repository and runs its test.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Guard:
    """In `file`, `text` becomes `without`; then `test` must fail."""

    test: str
    file: str
    text: str
    without: str


def _of(test: str, file: str, text: str, without: str) -> Guard:
    return Guard(f"tests/{test}", file, text, without)


GATE, LOGS, NAMES = "security/test_gate.py::", "security/test_logs.py::", "security/test_names.py::"
PHONE, FUZZ, CLIENTS = "security/test_telephony.py::", "security/test_fuzz.py::", "security/test_clients.py::"
WRITING, TWO_PARTS = "security/test_writing.py::", "text/test_two_parts.py::"
PAGES = "browser/test_service.py::"
ACTIONS, WEBHOOKS = "bot_manager/test_actions.py::", "bot_manager/test_webhooks.py::"
ASKED, SAID, JUDGED = "flows/test_actions.py::", "flows/test_variables.py::", "flows/test_conditions.py::"
RETENTION, AUDIT, IMAGES = "pronto/test_retention.py::", "security/test_audit.py::", "deploy/test_images.py::"

GUARDS = (
    _of(
        GATE + "test_with_a_token_only_health_and_readiness_are_open",
        "observability/gate.py",
        "    if token:\n",
        "    if False:\n",
    ),
    _of(
        GATE + "test_with_a_token_only_health_and_readiness_are_open",
        "observability/endpoints.py",
        'fields if _is_trusted(request) else {"status": fields["status"]}',
        "fields",
    ),
    _of(
        GATE + "test_without_a_token_no_page_of_another_site_may_ask",
        "observability/gate.py",
        'if headers.get(b"origin", b"http://" + host) != b"http://" + host:',
        "if False:",
    ),
    _of(
        GATE + "test_without_a_token_no_page_of_another_site_may_ask",
        "observability/gate.py",
        "return not name or is_loopback(name)",
        "return True",
    ),
    _of(
        "observability/test_http.py::test_who_sends_a_head_without_end_is_hung_up_on",
        "observability/whole_answers.py",
        "if self._head_bytes > MAX_HEAD_BYTES:",
        "if False:",
    ),
    _of(
        GATE + "test_no_other_header_opens_the_gate",
        "observability/gate.py",
        "hmac.compare_digest(given.strip(), token.encode())",
        "token.encode().startswith(given)",
    ),
    _of(
        GATE + "test_a_server_beyond_loopback_needs_a_token",
        "config.py",
        'and not source.get("PRONTO_TOKEN"):',
        "and False:",
    ),
    _of(
        GATE + "test_a_token_that_can_be_guessed_or_not_be_sent_refuses_to_start_and_is_not_shown",
        "config.py",
        "len(value) >= 16",
        "len(value) >= 1",
    ),
    _of(
        CLIENTS + "test_no_client_follows_to_another_server",
        "bot_manager/intents.py",
        "allow_redirects=False",
        "allow_redirects=True",
    ),
    _of(
        CLIENTS + "test_no_client_follows_to_another_server",
        "rtp_receiver/whisper.py",
        "answer.status != 200",
        "answer.status >= 400",
    ),
    _of(
        CLIENTS + "test_no_client_follows_to_another_server",
        "ari_controller/ari.py",
        "trace_configs=[_no_redirects()],",
        "",
    ),
    _of(
        CLIENTS + "test_no_client_follows_to_another_server",
        "pronto/asking.py",
        "ProxyHandler({}), _Straight)",
        "ProxyHandler({}))",
    ),
    _of(
        GATE + "test_a_body_that_is_too_large_is_not_read_to_its_end",
        "observability/gate.py",
        "return message if came <= self._max_body_bytes else",
        "return message if True else",
    ),
    _of(
        "whisper/test_malformed.py::test_a_body_of_unknown_length_is_stopped_at_the_limit",
        "whisper_service/admission.py",
        "if came > self._max_body_bytes:",
        "if False:",
    ),
    _of(
        PHONE + "test_every_server_is_bound_to_loopback_unless_told_otherwise",
        "config.py",
        'rtp_ip: str = setting("127.0.0.1"',
        'rtp_ip: str = setting("0.0.0.0"',
    ),
    _of(
        IMAGES + "test_compose_publishes_nothing_beyond_this_machine",
        "docker-compose.gpu.yml",
        '["127.0.0.1:6379:6379"]',
        '["6379:6379"]',
    ),
    _of(
        IMAGES + "test_no_image_runs_as_root_or_holds_a_password", "deploy/Dockerfile", "USER 10002:10002", "USER root"
    ),
    _of(
        "telephony/test_asterisk_config.py::test_ari_is_never_offered_to_the_network",
        "asterisk_conf/http.conf",
        "bindaddr = 127.0.0.1",
        "bindaddr = 0.0.0.0",
    ),
    _of(
        PHONE + "test_ari_has_no_default_password",
        "config.py",
        'setting("", "ARI password", not_empty, secret=True)',
        'setting("pronto", "ARI password", secret=True)',
    ),
    _of(
        "telephony/test_sip_caller.py::test_a_stranger_is_refused_whatever_he_calls_himself",
        "asterisk_conf/pjsip.conf",
        "context = from-trunk\nidentify_by = ip",
        "context = from-trunk\nidentify_by = username,ip",
    ),
    _of(
        PHONE + "test_a_stranger_is_refused_and_makes_no_channel",
        "asterisk_conf/pjsip.conf",
        "context = from-trunk\nidentify_by = ip",
        "context = from-trunk\nidentify_by = username,ip",
    ),
    _of(
        PHONE + "test_a_caller_of_the_trunk_reaches_the_bot_and_nothing_else",
        "asterisk_conf/extensions.conf",
        "[from-trunk]\n",
        "[from-trunk]\ninclude => handoff\n",
    ),
    _of(
        PHONE + "test_only_modules_of_the_list_run_and_none_that_opens_a_door",
        "asterisk_conf/modules.conf",
        "load = res_pjsip_nat.so",
        "load = res_pjsip_nat.so\nload = res_pjsip_refer.so",
    ),
    _of(
        "telephony/test_asterisk_config.py::test_limits_of_the_deployment_are_the_ones_that_run",
        "asterisk_conf/rtp.conf",
        "strictrtp = yes",
        "strictrtp = no",
    ),
    _of(
        PHONE + "test_packets_of_another_source_are_no_part_of_a_call",
        "rtp_receiver/call_lines.py",
        "line = by_source.get(source)",
        "line = by_source.get(source) or next(iter(self._lines.values()))",
    ),
    _of(
        "rtp_receiver/test_sources.py::test_packets_and_sources_are_bounded",
        "rtp_receiver/sources.py",
        "if len(self._strangers) >= MAX_SOURCES:",
        "if False:",
    ),
    _of(
        FUZZ + "test_every_datagram_is_used_or_counted_by_reason",
        "rtp_receiver/reorder.py",
        "                self.counts.stray += 1\n                self._suspect = None",
        "                self._suspect = None",
    ),
    _of(
        FUZZ + "test_a_storm_of_ari_events_leaves_no_call_behind",
        "ari_controller/controller.py",
        "metrics.EVENTS.labels(type(event).__name__).inc()",
        "metrics.EVENTS.labels(event.type if isinstance(event, Ignored) else type(event).__name__).inc()",
    ),
    _of(
        FUZZ + "test_a_storm_of_messages_leaves_no_call_behind",
        "protocol/lease.py",
        "redis.call('SET', key, text, 'EX', take())",
        "take() redis.call('SET', key, text)",
    ),
    _of(
        FUZZ + "test_a_call_of_which_nothing_is_heard_is_given_up",
        "bot_manager/call.py",
        "asyncio.timeout(self._patience_s)",
        "asyncio.timeout(None)",
    ),
    _of(
        FUZZ + "test_an_entry_that_is_no_text_ends_no_reader",
        "protocol/bus.py",
        '        encoding_errors="replace",\n',
        "",
    ),
    _of(
        FUZZ + "test_numbers_that_no_database_takes_are_refused",
        "protocol/messages.py",
        "Meta(ge=-1e6, le=1e11)",
        "Meta(ge=-1e300)",
    ),
    _of(
        FUZZ + "test_a_phrase_file_that_is_nested_without_end_does_not_take_the_process_along",
        "yaml_text/__init__.py",
        "if depth > DEEPEST:",
        "if False:",
    ),
    _of(
        FUZZ + "test_files_that_are_nested_without_end_are_refused",
        "whisper_service/phrases.py",
        "    except RecursionError:\n",
        "    except MemoryError:\n",
    ),
    _of(
        NAMES + "test_a_channel_that_others_named_is_one_quoted_part_of_a_path_or_refused",
        "ari_controller/ari_events.py",
        "if not is_channel_id(value):",
        "if False:",
    ),
    _of(
        NAMES + "test_a_call_id_with_odd_characters_does_not_come_in_from_the_bus",
        "protocol/codec.py",
        "and not is_fit(reading.message.call_id)",
        "and False",
    ),
    _of(
        NAMES + "test_a_prompt_is_a_file_of_the_prompts_folder_or_refused",
        "ari_controller/ari_requests.py",
        "case PromptItem(name=name) if forms.is_prompt(name):",
        "case PromptItem(name=name):",
    ),
    _of(
        NAMES + "test_an_extension_is_one_of_the_context_or_refused",
        "ari_controller/ari_requests.py",
        "if not forms.is_extension(extension):",
        "if False:",
    ),
    _of(
        "deploy/test_redis_users.py::test_in_compose_only_services_that_need_redis_reach_it_and_each_as_itself",
        "docker-compose.gpu.yml",
        "    networks: [bus]\n",
        "",
    ),
    _of(
        "deploy/test_redis_users.py::test_a_service_may_do_nothing_that_is_not_its_own",
        "deploy/redis/users.acl.in",
        "~pronto:@CELL@:hears:*",
        "~pronto:*",
    ),
    _of(
        NAMES + "test_a_recording_lies_in_the_recordings_folder",
        "ari_controller/ari_requests.py",
        '_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}")',
        '_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9/._-]{0,120}")',
    ),
    _of(
        NAMES + "test_what_a_caller_calls_himself_is_shown_and_short",
        "ari_controller/numbers.py",
        "if sign.isprintable()).strip()",
        "if True).strip()",
    ),
    _of(
        NAMES + "test_a_prompt_that_would_lie_elsewhere_is_in_no_catalogue_and_not_imported",
        "audio_prompts/catalogue.py",
        "if not forms.is_prompt(name) or not name[0].isalpha():",
        "if False:",
    ),
    _of(
        NAMES + "test_yaml_makes_nothing_but_plain_values",
        "whisper_service/phrases.py",
        "yaml.safe_load(text)",
        "yaml.unsafe_load(text)",
    ),
    _of(
        LOGS + "test_personal_fields_are_not_written_unless_asked_for",
        "observability/logs.py",
        "return fields if personal else",
        "return fields if True else",
    ),
    _of(
        LOGS + "test_every_field_of_every_record_was_judged",
        "bot_manager/switchboard.py",
        '"caller_number": started.caller_number',
        '"from_number": started.caller_number',
    ),
    _of(
        LOGS + "test_no_text_makes_a_second_record",
        "observability/logs.py",
        "sign if sign.isprintable() else repr(sign)[1:-1]",
        "sign",
    ),
    _of(
        LOGS + "test_no_secret_is_shown",
        "config.py",
        'return "***" if field.metadata["secret"] and raw else repr(raw)',
        "return repr(raw)",
    ),
    _of(
        LOGS + "test_an_error_of_the_database_does_not_tell_who_called",
        "records/engines.py",
        '"timeout": busy_s}, json_serializer=dumps, hide_parameters=True)',
        '"timeout": busy_s}, json_serializer=dumps)',
    ),
    _of(
        LOGS + "test_what_a_refused_message_held_is_not_told",
        "protocol/codec.py",
        "{_without_content(str(error))}",
        "{body!r}",
    ),
    _of(
        RETENTION + "test_nothing_of_an_old_call_is_left_in_the_file",
        "records/models.py",
        '"turns": "text heard said ',
        '"turns": "text said ',
    ),
    _of(
        RETENTION + "test_a_live_call_is_never_touched",
        "pronto/retention_cli.py",
        'if call["ended_at"] is None and self._may_be_live(call["id"]):',
        "if False:",
    ),
    _of(
        RETENTION + "test_a_record_cannot_name_a_file_elsewhere",
        "pronto/retention_cli.py",
        "paths = {self.recordings / Path(name).name for name in names}",
        "paths = {self.recordings / name for name in names}",
    ),
    _of(
        AUDIT + "test_a_planted_secret_is_found",
        "scripts/check_secrets.py",
        "JwtTokenDetector KeywordDetector ",
        "JwtTokenDetector ",
    ),
    _of(
        AUDIT + "test_a_vulnerability_fails_and_no_service_does_not",
        "scripts/check_dependencies.py",
        "return 1 if lines else 0",
        "return 0",
    ),
    _of(
        ACTIONS + "test_a_public_server_on_no_list_is_refused",
        "bot_manager/targets.py",
        "if not self.lists(server, port):",
        "if False:",
    ),
    _of(
        ACTIONS + "test_a_listed_server_with_a_special_address_is_not_reached",
        "bot_manager/targets.py",
        "            if is_special(address):",
        "            if False:",
    ),
    _of(
        ACTIONS + "test_special_addresses",
        "bot_manager/targets.py",
        "            return is_special(str(inner))",
        "            return False",
    ),
    _of(
        ACTIONS + "test_a_name_that_leads_to_a_special_address_is_not_reached",
        "bot_manager/targets.py",
        '        self._targets.check_addresses(host.rstrip("."), port, [one["host"] for one in found])\n',
        "",
    ),
    _of(
        ACTIONS + "test_a_name_that_is_bound_anew_is_looked_at_each_time",
        "bot_manager/targets.py",
        '        self._targets.check_addresses(host.rstrip("."), port, [one["host"] for one in found])\n',
        "",
    ),
    _of(
        ACTIONS + "test_outcomes",
        "bot_manager/actions.py",
        "    if 300 <= status < 400:",
        "    if False:",
    ),
    _of(
        ACTIONS + "test_a_secret_that_is_not_there_is_no_request",
        "bot_manager/credentials.py",
        "if not text or not text.isprintable() or not text.isascii():",
        "if False:",
    ),
    _of(
        ASKED + "test_a_value_in_a_url_is_one_segment",
        "dialogue/acting.py",
        'return quote(text, safe="")',
        "return text",
    ),
    _of(
        ASKED + "test_a_value_in_a_url_is_one_segment",
        "dialogue/acting.py",
        'if text in ("", ".", ".."):',
        'if text == "":',
    ),
    _of(
        ASKED + "test_what_is_refused_before_any_call",
        "dialogue/flow_actions.py",
        "if any(field.name.startswith(SECRET) for field in bare):",
        "if False:",
    ),
    _of(
        ASKED + "test_what_is_refused_before_any_call",
        "dialogue/flow_actions.py",
        "if not is_good or not text.startswith(server):",
        "if False:",
    ),
    _of(
        SAID + "test_what_is_put_into_a_text_is_never_read_as_one",
        "dialogue/values/spoken.py",
        'return " ".join(re.sub(r"[<>{}\\[\\]\\\\]", " ", clean(text)).split())[:MOST_SAID]',
        "return text",
    ),
    _of(
        JUDGED + "test_a_condition_is_bounded",
        "dialogue/values/conditions.py",
        "        if depth > MOST_DEPTH:",
        "        if False:",
    ),
    _of(
        PAGES + "test_only_pages_of_the_web_sites_in_the_settings_may_call",
        "observability/gate.py",
        'return scope["type"] == "http" or (scope["path"] not in OPEN and is_of_these(headers, self._origins))',
        "return True",
    ),
    _of(
        PAGES + "test_what_is_no_frame_is_refused_and_the_call_goes_on",
        "browser_audio/call.py",
        "if not self._heard < number <= self._heard + MOST_JUMP:",
        "if False:",
    ),
    _of(
        PAGES + "test_who_floods_is_cut_off_and_others_are_not",
        "browser_audio/call.py",
        "if len(self._frames) == FLOOD and now_s - self._frames[0] < FLOOD_S:",
        "if False:",
    ),
    _of(
        PAGES + "test_the_page_too_many_is_told_that_all_is_busy",
        "browser_audio/service.py",
        "if len(self.calls) >= settings.browser_calls or",
        "if",
    ),
    _of(
        PAGES + "test_three_missed_pings_end_the_call",
        "browser_audio/call.py",
        "if self._missed >= MISSED_PINGS:",
        "if False:",
    ),
    _of(
        WEBHOOKS + "test_a_signature_holds_for_this_body_this_secret_and_this_time_only",
        "protocol/signatures.py",
        "is_new = abs(now - at) <= tolerance_s",
        "is_new = True",
    ),
    _of(
        WEBHOOKS + "test_a_receiver_that_redirects_is_not_followed",
        "bot_manager/webhooks.py",
        "headers=headers, allow_redirects=False)",
        "headers=headers)",
    ),
    _of(
        WEBHOOKS + "test_a_receiver_that_is_not_listed_or_not_public_is_not_reached",
        "bot_manager/webhooks.py",
        "            self._receiver.targets.check(url or self._receiver.url)\n",
        "",
    ),
    _of(
        WEBHOOKS + "test_a_key_that_is_not_there_or_too_short_costs_nothing",
        "bot_manager/webhooks.py",
        "if len(secret) < LEAST_SECRET:",
        "if False:",
    ),
    _of(
        WEBHOOKS + "test_retention_takes_what_it_says_and_gives_up_what_still_waits",
        "records/retention.py",
        '    connection.execute(update(WEBHOOKS).where(of_call).values(body=""))\n',
        "",
    ),
    _of(
        WRITING + "test_what_is_kept_of_a_link_opens_nothing",
        "text_service/links.py",
        "return hashlib.sha256(secret.encode()).hexdigest() if",
        "return secret if",
    ),
    _of(
        WRITING + "test_what_is_kept_of_a_link_opens_nothing",
        "text_service/links.py",
        "SECRET_BYTES: Final = 24",
        "SECRET_BYTES: Final = 8",
    ),
    _of(
        WRITING + "test_a_link_that_nobody_opens_is_gone_after_its_time",
        "text_service/store.py",
        "_encode(link).decode(), ex=within_s)",
        "_encode(link).decode())",
    ),
    _of(
        WRITING + "test_a_link_is_that_of_the_browser_that_opens_it_first",
        "text_service/service.py",
        "if whose != client_id:",
        "if False:",
    ),
    _of(
        WRITING + "test_a_link_is_that_of_the_browser_that_opens_it_first",
        "text_service/store.py",
        "ex=self._remembered_s, nx=True)",
        "ex=self._remembered_s)",
    ),
    _of(
        "text/test_page.py::test_a_link_is_opened_and_its_secret_does_not_stay_in_the_address",
        "text_service/page/page.js",
        'linkDone: () => location.hash && history.replaceState(null, "", location.pathname + location.search),',
        "linkDone: () => {},",
    ),
    _of(
        "text/test_page.py::test_a_link_is_opened_and_its_secret_does_not_stay_in_the_address",
        "text_service/links.py",
        "page.html?language={language}#{ANCHOR}",
        "page.html?language={language}&{ANCHOR}",
    ),
    _of(
        WRITING + "test_neither_links_nor_conversations_are_had_without_the_back_parts_key",
        "text_service/http_api.py",
        "PUBLIC: Final = (SOCKETS, *pages.CHAT)",
        'PUBLIC: Final = (SOCKETS, *pages.CHAT, "/api/text/links")',
    ),
    _of(
        WRITING + "test_neither_links_nor_conversations_are_had_without_the_back_parts_key",
        "text_service/http_api.py",
        "Middleware(Gate, token=key,",
        'Middleware(Gate, token="",',
    ),
    _of(
        WRITING + "test_a_link_leads_to_a_number_and_nothing_else",
        "text_service/links.py",
        'number: Annotated[str, Meta(pattern=r"^\\+?[0-9]{3,20}$")]',
        "number: str",
    ),
    _of(
        WRITING + "test_who_is_forgotten_leaves_no_link",
        "text_service/store.py",
        "            if now.link:\n",
        "            if False:\n",
    ),
    _of(
        WRITING + "test_a_front_part_is_not_told_what_no_browser_is_shown",
        "text_service/for_fronts.py",
        'return replace(now, **nothing, number="", facts={})',
        "return now",
    ),
    _of(
        WRITING + "test_a_client_who_asks_through_many_front_parts_is_counted_once",
        "text_service/for_fronts.py",
        "if wait_s := self._rate.wait_s(client_id, time.monotonic()):",
        "if wait_s := 0:",
    ),
    _of(
        WRITING + "test_a_front_part_asks_for_a_key_of_its_own",
        "text_service/front_part.py",
        "Middleware(Gate, token=key,",
        'Middleware(Gate, token="",',
    ),
    _of(
        TWO_PARTS + "test_a_back_part_on_another_machine_needs_a_key",
        "text_service/__main__.py",
        "if host and not is_loopback(host) and not",
        "if False and host and not",
    ),
    _of(
        CLIENTS + "test_no_client_follows_to_another_server",
        "text_service/back_part.py",
        "timeout=timeout, allow_redirects=False)",
        "timeout=timeout)",
    ),
)
