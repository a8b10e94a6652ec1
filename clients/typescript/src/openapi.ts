// Made from openapi.json by `npm run generate`.

export interface paths {
    "/api/v1/nodes/register": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["register_node"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/nodes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["list_nodes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/nodes/online": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["list_online_nodes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/nodes/available": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["list_available_nodes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/nodes/skills/{skill}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["list_nodes_by_skill"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/nodes/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["show_node"];
        put?: never;
        post?: never;
        delete: operations["remove_node"];
        options?: never;
        head?: never;
        patch: operations["change_node"];
        trace?: never;
    };
    "/api/v1/nodes/{id}/shutdown": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["shut_down_node"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/nodes/{id}/heartbeat": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["send_heartbeat"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/heartbeats": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["send_heartbeats"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/nodes/{id}/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["show_node_health"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cluster/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["show_cluster_health"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cluster/state": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["show_cluster_state"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cluster/durability": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["show_durability"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cluster/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["list_cluster_events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cluster/check-heartbeat": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["check_heartbeats"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cluster/leader": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["show_leader"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cluster/leader/campaign": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["campaign"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cluster/leader/resign": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["resign"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cluster/monitor": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["show_cluster_monitor"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cluster/leader/history": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["list_leaders"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/locks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["list_locks"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/locks/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["show_lock"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/locks/{name}/acquire": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["acquire_lock"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/locks/{name}/renew": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["renew_lock"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/locks/{name}/release": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["release_lock"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["check_service"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["check_readiness"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["list_sessions"];
        put?: never;
        post: operations["create_session"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{sid}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["show_session"];
        put?: never;
        post?: never;
        delete: operations["close_session"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{sid}/tasks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["submit_session_task"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["list_tasks"];
        put?: never;
        post: operations["submit_task"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/pending": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["list_waiting_tasks"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/stats": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["count_tasks"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/cleanup": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["clean_up_tasks"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/claim": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["claim_tasks"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{id}/progress": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["report_progress"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{id}/complete": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["complete_task"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{id}/fail": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["fail_task"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["show_task"];
        put?: never;
        post?: never;
        delete: operations["remove_task"];
        options?: never;
        head?: never;
        patch: operations["edit_task"];
        trace?: never;
    };
    "/api/v1/tasks/{id}/why": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["explain_task"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{id}/attempts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["list_attempts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["cancel_task"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["retry_task"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{id}/log": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["read_task_log"];
        put?: never;
        post: operations["write_task_log"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/dead": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["list_dead_tasks"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/dead/redrive": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["redrive_tasks"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/batch": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["submit_batch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/groups/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["show_group"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/groups/{id}/tasks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["list_group_tasks"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/groups/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["cancel_group"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/groups/{id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["retry_group"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/limits": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["list_limits"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/limits/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["show_limit"];
        put: operations["set_limit"];
        post?: never;
        delete: operations["remove_limit"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/limits/{name}/penalty": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["shut_limit"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/queue": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["show_queue"];
        put: operations["pause_queue"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/fairness": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["show_fairness"];
        put: operations["set_fairness"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/schedules": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["list_schedules"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/schedules/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["show_schedule"];
        put: operations["set_schedule"];
        post?: never;
        delete: operations["remove_schedule"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/schedules/{id}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["pause_schedule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/schedules/{id}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["resume_schedule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/schedules/{id}/trigger": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["trigger_schedule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/schedules/{id}/backfill": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["backfill_schedule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/usage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["show_usage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/prices": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["list_prices"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/prices/{model}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put: operations["set_price"];
        post?: never;
        delete: operations["remove_price"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/budgets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["list_budgets"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/budgets/{scope}/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["show_budget"];
        put: operations["set_budget"];
        post?: never;
        delete: operations["remove_budget"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/history": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["show_history"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{id}/wait": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["wait_for"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{id}/signal": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["signal_task"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{id}/signals/take": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["take_signals"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/waits": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["list_waits"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/waits/{wid}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["show_wait"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/waits/{wid}/answer": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["answer_wait"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/bulk": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["start_bulk"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/bulk/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["show_bulk"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/bulk/{id}/stop": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["stop_bulk"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{sid}/messages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["list_messages"];
        put?: never;
        post: operations["send_message"];
        delete: operations["clean_up_messages"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{sid}/messages/{mid}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put: operations["open_message"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/messages/{mid}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["show_message"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/messages/{mid}/content/{cid}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["show_content"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/messages/{mid}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["list_message_events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/messages/{mid}/append": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["append_text"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/messages/{mid}/content": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["add_content"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/messages/{mid}/tasks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["start_message_task"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/messages/{mid}/tasks/{tid}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch: operations["change_message_task"];
        trace?: never;
    };
    "/api/v1/messages/{mid}/complete": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["complete_message"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/inbox/{agent}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["look_at_mail"];
        put?: never;
        post: operations["send_mail"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/inbox/{agent}/receive": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["receive_mail"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/inbox/{agent}/proposals/{msg_id}/accept": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["accept_proposal"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/inbox/{agent}/ack": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["acknowledge_mail"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/inboxes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["list_inboxes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/inbox/{agent}/dead": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["list_dead_mail"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/inbox/{agent}/dead/redrive": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["redrive_mail"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents/register": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["register_agent"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["list_agents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["show_agent"];
        put?: never;
        post?: never;
        delete: operations["remove_agent"];
        options?: never;
        head?: never;
        patch: operations["change_agent"];
        trace?: never;
    };
    "/api/v1/invites": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["list_invites"];
        put?: never;
        post: operations["create_invite"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/invites/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        delete: operations["revoke_invite"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["list_keys"];
        put?: never;
        post: operations["create_key"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/keys/{key_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        delete: operations["revoke_key"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/keys/{key_id}/rotate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["rotate_key"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["show_caller"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/deposit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["deposit"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/withdraw": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["withdraw"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/transfer": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["transfer"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/balance/{agent}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["show_balance"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/holds": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["list_holds"];
        put?: never;
        post: operations["place_hold"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/holds/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["show_hold"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/holds/{id}/post": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["post_hold"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/holds/{id}/void": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["void_hold"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/intents": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["list_intents"];
        put?: never;
        post: operations["submit_intent"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/intents/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["show_intent"];
        put?: never;
        post?: never;
        delete: operations["cancel_intent"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/intents/{id}/match": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["match_intents"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/positions/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["list_positions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/positions/{id}/close": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["close_position"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/positions/{id}/mark": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["mark_position"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/entries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["list_entries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/entries/seals": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["list_seals"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/entries/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["audit_ledger"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/entries/index": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["list_indexed_entries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["list_audit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit/seals": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["list_audit_seals"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{sid}/messages/{mid}/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["stream_message"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{id}/log/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["stream_task_log"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/events/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["stream_cluster_events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/healthz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["check_host"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["read_metrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/debug": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["read_debug"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/problems/{code}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["explain_problem"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["read_openapi"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/docs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["show_docs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/redoc": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["show_redoc"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["show_dashboard"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ui/{asset}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["load_asset"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ui/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["begin_ui_session"];
        delete: operations["end_ui_session"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ui/act": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["show_ui_act"];
        put?: never;
        post: operations["begin_ui_act"];
        delete: operations["end_ui_act"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ui/sign-in-links": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["make_sign_in_link"];
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
        AcceptAnswer: {
            executor: string;
            msg_id: string;
            reply_id: string | null;
            success: boolean;
            task_ids: string[];
        };
        AcceptBody: {
            executor?: string | null;
        };
        AcknowledgeAnswer: {
            acknowledged: number;
            unknown: number;
        };
        AcknowledgeBody: {
            receipts: string[];
        };
        AddBlockAnswer: {
            content_id: string;
            sequence: number;
        };
        AfterBody: {
            group?: string | null;
            /** @enum {string|null} */
            on?: "completed" | "ended" | "failed" | null;
            task?: string | null;
        };
        Agent: {
            agent_id: string;
            created_at: components["schemas"]["Instant"];
            display_name: string | null;
            metadata: {
                [key: string]: unknown;
            };
            status: string;
            wallet_address: string | null;
        };
        AgentBody: {
            agent_id?: string | null;
            display_name?: string | null;
            metadata?: {
                [key: string]: unknown;
            } | null;
            wallet_address?: string | null;
        };
        AgentChange: {
            /** @enum {string} */
            status: "active" | "suspended";
        };
        AgentList: {
            agents: components["schemas"]["ShownAgent"][];
        };
        AgentRegistered: {
            agent: components["schemas"]["Agent"];
            api_key: string | null;
            api_key_info: components["schemas"]["KeyInfo"];
            success: boolean;
        };
        AgentRemoved: {
            agent_id: string;
            success: boolean;
        };
        AppendAnswer: {
            length: number;
            sequence: number;
        };
        AppendBody: {
            delta: string;
            producer?: components["schemas"]["ProducerBody"] | null;
        };
        ApprovalBody: {
            approvals?: number | null;
            assignees?: string[] | null;
            details?: unknown;
            expires_in_ms?: number | null;
            /** @enum {string|null} */
            on_expire?: "reject" | "approve" | "fail" | null;
            options?: components["schemas"]["WaitOptionBody"][] | null;
            question: string;
        };
        Attempt: {
            attempt: number;
            cost?: string | null;
            error?: string | null;
            from: components["schemas"]["Instant"];
            node_id: string;
            /** @enum {string} */
            outcome: "running" | "completed" | "failed" | "snoozed" | "timeout" | "released" | "waiting" | "cancelled";
            to?: components["schemas"]["Instant"] | null;
            tokens_in?: number | null;
            tokens_out?: number | null;
        };
        Attempts: {
            attempts: components["schemas"]["Attempt"][];
            success: boolean;
        };
        AuditChain: "cluster" | "ledger";
        AuditEntry: {
            action: string;
            actor: string;
            after?: unknown;
            at: components["schemas"]["Instant"];
            before?: unknown;
            chain: components["schemas"]["AuditChain"];
            key_id?: string | null;
            link: string;
            previous: string;
            reason: string;
            request_id: string;
            seq: number;
            target: string;
            via: string;
        };
        AuditList: {
            entries: components["schemas"]["AuditEntry"][];
        };
        AuditPage: {
            records: components["schemas"]["Record"][];
        };
        AuditSeals: {
            before?: string | null;
            begin: number;
            chain: components["schemas"]["AuditChain"];
            entries: number;
            first: number;
            link: string;
            lost: number;
            seals: string[];
            total: number;
        };
        BackfillBody: {
            from: string;
            most?: number | null;
            to: string;
        };
        Balance: {
            agent_id: string;
            available: string;
            balance: string;
            locked: string;
        };
        BalanceChange: {
            balance: components["schemas"]["Balance"];
            new_balance: string;
            success: boolean;
        };
        BatchAnswer: {
            group_id: string | null;
            on_end?: components["schemas"]["BatchedTask"] | null;
            tasks: components["schemas"]["BatchedTask"][];
        };
        BatchBody: {
            atomic?: boolean | null;
            group?: components["schemas"]["GroupBody"] | null;
            parent?: components["schemas"]["ParentBody"] | null;
            tasks: components["schemas"]["TaskBody"][];
        };
        BatchedTask: {
            routable: boolean;
            /** @enum {string} */
            status: "pending" | "scheduled" | "waiting" | "running" | "completed" | "failed" | "cancelled" | "timeout";
            task_id: string;
        };
        Budget: {
            cost: string | null;
            cost_used: string;
            exceeded: boolean;
            id: string;
            note: string;
            /** @enum {string} */
            on_exceed: "flag" | "cancel" | "wait";
            owner: string;
            /** @enum {string} */
            period: "day" | "month" | "total";
            /** @enum {string} */
            scope: "owner" | "user" | "group";
            tokens: number | null;
            tokens_used: number;
            updated_at: components["schemas"]["Instant"];
            updated_by: string;
        };
        BudgetBody: {
            cost?: string | null;
            note?: string | null;
            /** @enum {string|null} */
            on_exceed?: "flag" | "cancel" | "wait" | null;
            owner?: string | null;
            /** @enum {string|null} */
            period?: "day" | "month" | "total" | null;
            tokens?: number | null;
        };
        BudgetLeft: {
            cost_left?: string | null;
            exceeded: boolean;
            tokens_left?: number | null;
        };
        BudgetRemoved: {
            id: string;
            scope: string;
            success: boolean;
        };
        Bulk: {
            /** @enum {string} */
            action: "cancel" | "retry" | "remove" | "set_priority";
            bulk_id: string;
            created_at: components["schemas"]["Instant"];
            done: number;
            dry_run: boolean;
            ended_at: components["schemas"]["Instant"] | null;
            failed: number;
            filter: {
                [key: string]: unknown;
            };
            matched: number;
            most: number | null;
            priority?: number | null;
            reason: string;
            sample: string[];
            skipped: number;
            /** @enum {string} */
            status: "counting" | "counted" | "running" | "completed" | "refused" | "stopped";
        };
        BulkBody: {
            /** @enum {string} */
            action: "cancel" | "retry" | "remove" | "set_priority";
            dry_run?: boolean | null;
            filter: components["schemas"]["TaskFilter"];
            most?: number | null;
            priority?: number | null;
            reason?: string | null;
        };
        CampaignAnswer: {
            former_ttl_ms?: number;
            is_leader: boolean;
            leader: string | null;
            term: number;
            ttl_ms: number;
        };
        CampaignBody: {
            incarnation?: number | null;
            node_id: string;
            ttl_ms?: number | null;
        };
        CatchUp: {
            /** @enum {string} */
            mode: "none" | "latest" | "all";
            most: number;
            window_ms: number;
        };
        CatchUpBody: {
            /** @enum {string|null} */
            mode?: "none" | "latest" | "all" | null;
            most?: number | null;
            window_ms?: number | null;
        };
        ChargeBody: {
            from?: string | null;
            max: string;
            to?: string | null;
        };
        CheckAnswer: {
            all_nodes_healthy: boolean;
            checked_at: components["schemas"]["Instant"];
            expiry: components["schemas"]["Expiry"];
            timeout_nodes: components["schemas"]["TimeoutNode"][];
            timeout_nodes_count: number;
        };
        CheckBody: {
            timeout_seconds?: number | null;
        };
        ClaimedTask: {
            affinity_tags: string[];
            after?: components["schemas"]["Followed"][];
            assigned_node: string | null;
            audience: unknown;
            budget?: components["schemas"]["TaskBudget"] | null;
            charge?: components["schemas"]["TaskCharge"] | null;
            checkpoint?: unknown;
            completed_at: components["schemas"]["Instant"] | null;
            description: string;
            error: string | null;
            fairness_key?: string | null;
            fairness_weight?: number | null;
            group_id?: string | null;
            inputs?: unknown;
            keep_completed_ms?: number | null;
            keep_failed_ms?: number | null;
            labels?: {
                [key: string]: string;
            };
            limits?: components["schemas"]["TaskLimit"][];
            max_retries: number;
            message_id: string | null;
            metadata: {
                [key: string]: unknown;
            };
            name: string;
            optional_skills: string[];
            paid?: string | null;
            parameters: {
                [key: string]: unknown;
            };
            priority: number;
            progress: number;
            required_skills: string[];
            result: unknown;
            resume?: unknown;
            retry?: components["schemas"]["RetryPolicy"] | null;
            retry_count: number;
            scheduled_at: components["schemas"]["Instant"] | null;
            session_id: string | null;
            started_at: components["schemas"]["Instant"] | null;
            /** @enum {string} */
            status: "pending" | "scheduled" | "waiting" | "running" | "completed" | "failed" | "cancelled" | "timeout";
            submitted_at: components["schemas"]["Instant"];
            target_node: string | null;
            task_id: string;
            /** @enum {string} */
            task_type: "interactive" | "batch" | "compute_intensive" | "io_intensive" | "daemon";
            timeout: number;
            token: string;
            usage?: components["schemas"]["TaskUsage"] | null;
            user_id: string | null;
            wait_id?: string | null;
        };
        ClusterEventGap: {
            from: string;
            to: string;
        };
        ClusterEventList: {
            events: components["schemas"]["Event"][];
            gap: components["schemas"]["ClusterEventGap"] | null;
            next: string;
        };
        ClusterHealth: {
            available_capacity: number;
            busy_nodes: number;
            capacity_utilization: number;
            checked_at: components["schemas"]["Instant"];
            expiry: components["schemas"]["Expiry"];
            nodes_by_status: components["schemas"]["NodesByStatus"];
            offline_nodes: number;
            online_nodes: number;
            timeout_nodes_count: number;
            total_capacity: number;
            total_nodes: number;
            used_capacity: number;
        };
        ClusterMonitor: {
            holder: string | null;
            lag: components["schemas"]["MonitorLag"];
            last_tick_at: components["schemas"]["Instant"] | null;
            success: boolean;
            term: number;
            tick_ms: number | null;
            ticks: number;
            until: components["schemas"]["Instant"] | null;
        };
        ClusterState: {
            data_version: number;
            nodes_by_status: components["schemas"]["NodesByStatus"];
            online_nodes: number;
            running_tasks: number;
            tasks_by_status: components["schemas"]["TasksByStatus"];
            total_nodes: number;
            total_tasks: number;
            updated_at: components["schemas"]["Instant"] | null;
            version: number;
        };
        ContentBlock: {
            audio?: {
                data?: string | null;
                duration?: number | null;
                size?: number | null;
                title?: string | null;
                url?: string | null;
            };
            code?: {
                code?: string | null;
                language?: string | null;
            };
            content_id: string;
            /** @enum {string} */
            content_type: "text" | "image" | "audio" | "video" | "file" | "code" | "markdown" | "html" | "json" | "thinking";
            file?: {
                data?: string | null;
                mime_type?: string | null;
                name?: string | null;
                size?: number | null;
                url?: string | null;
            };
            html?: {
                html?: string | null;
            };
            image?: {
                alt?: string | null;
                caption?: string | null;
                data?: string | null;
                height?: number | null;
                size?: number | null;
                url?: string | null;
                width?: number | null;
            };
            is_placeholder: boolean;
            json?: {
                json?: unknown;
            };
            markdown?: {
                markdown?: string | null;
            };
            ref?: string;
            task_id?: string;
            text?: {
                text?: string | null;
            };
            thinking?: {
                thinking?: string | null;
            };
            video?: {
                data?: string | null;
                duration?: number | null;
                size?: number | null;
                title?: string | null;
                url?: string | null;
            };
        };
        DeadByError: {
            groups: components["schemas"]["DeadGroup"][];
            success: boolean;
        };
        DeadGroup: {
            count: number;
            error: string;
            first_at?: components["schemas"]["Instant"] | null;
            key: string;
            last_at?: components["schemas"]["Instant"] | null;
            name: string;
        };
        DurabilityGiven: {
            by: string;
            levels: components["schemas"]["LevelGiven"][];
            money: string;
        };
        Entry: {
            created_at: components["schemas"]["Instant"];
            entry_id: string;
            kind: string;
            legs: components["schemas"]["Leg"][];
            link: string;
            locks: components["schemas"]["Leg"][];
            memo: string;
            previous: string;
            reference: string;
            seq: number;
        };
        EntryIndex: {
            numbers: number[];
            total: number;
        };
        EntryList: {
            entries: components["schemas"]["Entry"][];
        };
        Event: {
            event_id: string;
            /** @enum {string} */
            event_type: "node_registered" | "node_removed" | "node_online" | "node_busy" | "node_offline" | "node_maintenance" | "node_error" | "leader_changed" | "lock_changed" | "expiry_suspended" | "task_pending" | "task_scheduled" | "task_waiting" | "task_running" | "task_completed" | "task_failed" | "task_cancelled" | "task_timeout" | "task_edited" | "bulk_started" | "bulk_ended" | "group_failing" | "group_ended" | "class_open" | "schedule_set" | "schedule_removed" | "schedule_paused" | "schedule_resumed" | "schedule_missed" | "limit_changed" | "limit_removed" | "limit_shut" | "queue_paused" | "queue_resumed" | "wait_answered" | "budget_exceeded" | "restored" | "store_changed" | "ledger_rolled_back";
            payload: {
                [key: string]: unknown;
            };
            timestamp: components["schemas"]["Instant"];
        };
        Expiry: {
            reason: string | null;
            suspended: boolean;
        };
        Fairness: {
            weights: {
                [key: string]: number;
            };
        };
        FairnessBody: {
            weights: {
                [key: string]: number;
            };
        };
        Followed: {
            group?: string | null;
            on: string;
            status: string | null;
            task?: string | null;
        };
        Group: {
            cancelled: number;
            completed: number;
            created_at: components["schemas"]["Instant"];
            ended_at: components["schemas"]["Instant"] | null;
            failed: number;
            first_failure: string | null;
            group_id: string;
            name: string;
            open: number;
            parent: string | null;
            sealed: boolean;
            /** @enum {string} */
            status: "open" | "completed" | "failed";
            timeout: number;
            total: number;
        };
        GroupBody: {
            group_id?: string | null;
            name?: string | null;
            on_end?: components["schemas"]["TaskBody"] | null;
            sealed?: boolean | null;
        };
        GroupChanged: {
            changed: number;
            group_id: string;
            success: boolean;
        };
        HeartbeatAnswer: {
            cancelled: string[];
            claims?: components["schemas"]["RenewedClaim"][] | null;
            drain: boolean;
            inbox: number;
            leader: string | null;
            lost_claims?: components["schemas"]["LostClaim"][] | null;
            message: string;
            next_heartbeat_ms: number;
            node_id: string;
            renewed: string[];
            revoked: string[];
            status?: number | null;
            success: boolean;
            term: number;
            timestamp: components["schemas"]["Instant"];
        };
        HeartbeatBody: {
            claims?: components["schemas"]["HeldClaim"][] | null;
            cpu_usage?: number | null;
            disk_usage?: number | null;
            incarnation?: number | null;
            memory_usage?: number | null;
            quiet_ms?: number | null;
            renew_all?: boolean | null;
            running_tasks?: number | null;
            /** @enum {string|null} */
            status?: "online" | "busy" | null;
        };
        HeartbeatFailure: {
            code: string;
            message: string;
            node_id: string | null;
            status: number;
            success: boolean;
        };
        HeldClaim: {
            task_id: string;
            token: string;
        };
        History: {
            from: components["schemas"]["Instant"];
            points: components["schemas"]["HistoryPoint"][];
            step: number;
            success: boolean;
            to: components["schemas"]["Instant"];
        };
        HistoryPoint: {
            at: components["schemas"]["Instant"];
            cancelled?: number | null;
            capacity?: number | null;
            claimed?: number | null;
            completed?: number | null;
            cost?: number | null;
            dead?: number | null;
            failed?: number | null;
            fenced?: number | null;
            nodes_online?: number | null;
            nodes_total?: number | null;
            run_p50?: number | null;
            run_p95?: number | null;
            running?: number | null;
            submitted?: number | null;
            timeout?: number | null;
            tokens_in?: number | null;
            tokens_out?: number | null;
            wait_p50?: number | null;
            wait_p95?: number | null;
            waiting?: number | null;
        };
        Hold: {
            agent_id: string;
            amount: string;
            created_at: components["schemas"]["Instant"];
            expires_at: components["schemas"]["Instant"] | null;
            hold_id: string;
            posted: string;
            status: string;
            task_id?: string | null;
            to_agent: string | null;
        };
        HoldAnswer: {
            hold: components["schemas"]["Hold"];
            success: boolean;
        };
        HoldBody: {
            agent_id: string;
            amount: string;
            expires_in_ms?: number | null;
        };
        HoldList: {
            holds: components["schemas"]["Hold"][];
        };
        HoldPostBody: {
            amount?: string | null;
            to_agent: string;
        };
        InboxCounts: {
            agent: string;
            dead: number;
            in_flight: number;
            oldest_at: components["schemas"]["Instant"] | null;
            waiting: number;
        };
        InboxList: {
            has_more: boolean;
            inboxes: components["schemas"]["InboxCounts"][];
            next_cursor: string | null;
            success: boolean;
        };
        Instant: string;
        Intent: {
            agent_id: string;
            asset: string;
            created_at: components["schemas"]["Instant"];
            filled: string;
            intent_id: string;
            intent_type: string;
            leverage: number;
            margin: string;
            matched_with: string | null;
            max_slippage: string;
            reason: string;
            remaining: string;
            size: string;
            status: string;
            updated_at: components["schemas"]["Instant"];
        };
        IntentBody: {
            agent_id: string;
            asset: string;
            /** @enum {string} */
            intent_type: "long" | "short";
            leverage?: number | null;
            max_slippage?: string | null;
            reason?: string | null;
            size: string;
        };
        IntentCancelled: {
            success: boolean;
        };
        IntentList: {
            intents: components["schemas"]["Intent"][];
        };
        IntentMatch: {
            agent_a: string;
            agent_b: string;
            asset: string;
            created_at: components["schemas"]["Instant"];
            intent_a: string;
            intent_b: string;
            match_id: string;
            price: string;
            size: string;
        };
        IntentSubmitted: {
            intent: components["schemas"]["Intent"];
            success: boolean;
        };
        InviteAnswer: {
            invite: string | null;
            invite_info: components["schemas"]["InviteInfo"];
            success: boolean;
        };
        InviteBody: {
            expires_in?: number | null;
            scopes?: ("read" | "write" | "trade" | "approve" | "admin")[] | null;
            uses?: number | null;
        };
        InviteInfo: {
            created_at: components["schemas"]["Instant"];
            created_by: string;
            expires_at: components["schemas"]["Instant"];
            invite_id: string;
            scopes: ("read" | "write" | "trade" | "approve" | "admin")[];
            used: number;
            uses: number;
        };
        InviteList: {
            invites: components["schemas"]["InviteInfo"][];
        };
        InviteRevoked: {
            invite_id: string;
            success: boolean;
        };
        KeyAnswer: {
            api_key: string | null;
            key_info: components["schemas"]["KeyInfo"];
            success: boolean;
        };
        KeyBody: {
            agent_id?: string | null;
            certificate?: string | null;
            expires_in_days?: number | null;
            name?: string | null;
            scopes?: ("read" | "write" | "trade" | "approve" | "admin")[] | null;
        };
        KeyInfo: {
            created_at: components["schemas"]["Instant"];
            expires_at: components["schemas"]["Instant"] | null;
            key_id: string;
            last_used: components["schemas"]["Instant"] | null;
            name: string;
            scopes: ("read" | "write" | "trade" | "approve" | "admin")[];
        };
        KeyList: {
            keys: components["schemas"]["KeyInfo"][];
        };
        LeaderHistoryEntry: {
            event: string;
            is_leader: boolean | null;
            node_id: string;
            reason?: string | null;
            term: number | null;
            timestamp: components["schemas"]["Instant"];
        };
        Leadership: {
            leader: string | null;
            term: number;
            ttl_ms: number;
        };
        Leg: {
            account: string;
            amount: string;
        };
        LevelGiven: {
            /** @enum {string} */
            given: "at_once" | "awaited" | "no";
            /** @enum {string} */
            level: "memory" | "disk" | "replica" | "replica-disk";
            replicas: number | null;
            why: string;
        };
        Limit: {
            concurrency: number | null;
            name: string;
            note: string;
            paused: boolean;
            per_owner: boolean;
            rates: components["schemas"]["Rate"][];
            running: number;
            updated_at: components["schemas"]["Instant"];
            updated_by: string;
        };
        LimitBody: {
            concurrency?: number | null;
            note?: string | null;
            paused?: boolean | null;
            per_owner?: boolean | null;
            rates?: components["schemas"]["RateBody"][] | null;
        };
        LimitRemoved: {
            name: string;
            success: boolean;
        };
        LimitStanding: {
            concurrency: number | null;
            held: number;
            key: string | null;
            name: string;
            note: string;
            opens_at: components["schemas"]["Instant"] | null;
            parked_classes: number;
            paused: boolean;
            penalised_at: components["schemas"]["Instant"] | null;
            per_owner: boolean;
            rates: components["schemas"]["Rate"][];
            running: number;
            /** @enum {string|null} */
            shut_by: "paused" | "concurrency" | "rate" | "penalty" | null;
            updated_at: components["schemas"]["Instant"];
            updated_by: string;
        };
        Lock: {
            holder: string;
            name: string;
            owner: string;
            term: number;
            ttl_ms: number;
        };
        LockAcquireBody: {
            holder: string;
            ttl_ms?: number | null;
        };
        LockAcquired: {
            former_ttl_ms?: number;
            is_held: boolean;
            lock: components["schemas"]["Lock"];
        };
        LockReleaseBody: {
            holder: string;
            term: number;
        };
        LockReleased: {
            name: string;
            success: boolean;
            term: number;
        };
        LockRenewBody: {
            holder: string;
            term: number;
            ttl_ms?: number | null;
        };
        LostClaim: {
            reason: string;
            task_id: string;
        };
        Mail: {
            attempts: number;
            content: unknown;
            from: string;
            metadata: unknown;
            msg_id: string;
            priority: string;
            timestamp?: unknown;
            topic: string;
        };
        MailAnswer: {
            depth: number;
            msg_id: string;
        };
        MailBody: {
            content: unknown;
            from: string;
            metadata?: {
                [key: string]: unknown;
            } | null;
            /** @enum {string|null} */
            priority?: "low" | "medium" | "high" | null;
            topic?: string | null;
        };
        MailList: {
            depth: number;
            messages: components["schemas"]["Mail"][];
        };
        MailRedriveAnswer: {
            depth: number;
            redriven: number;
        };
        MailRedriveBody: {
            msg_ids?: string[] | null;
        };
        MatchAnswer: {
            match: components["schemas"]["IntentMatch"];
            positions: components["schemas"]["Position"][];
            success: boolean;
        };
        MatchBody: {
            price: string;
            with: string;
        };
        Message: {
            content_blocks: components["schemas"]["ContentBlock"][];
            created_at: components["schemas"]["Instant"];
            is_complete: boolean;
            message_id: string;
            metadata: {
                [key: string]: unknown;
            };
            parent_message_id: string | null;
            pending_tasks: {
                [key: string]: unknown;
            };
            /** @enum {string} */
            role: "user" | "assistant" | "system" | "agent" | "tool";
            sequence: number;
            session_id: string;
            text: string;
            updated_at: components["schemas"]["Instant"];
        };
        MessageAnswer: {
            assistant_message_id: string;
            session_id: string;
            user_message_id: string;
        };
        MessageBody: {
            content: string;
            message_id?: string | null;
            metadata?: {
                [key: string]: unknown;
            } | null;
            /** @enum {string|null} */
            role?: "user" | "assistant" | "system" | "agent" | "tool" | null;
            /** @enum {string|null} */
            type?: "text" | "image" | "audio" | "video" | "file" | "code" | "markdown" | "html" | "json" | "thinking" | null;
        };
        MessageCleanupAnswer: {
            deleted: number;
        };
        MessageCompleteAnswer: {
            is_complete: boolean;
            message_id: string;
            sequence: number;
        };
        MessageCompleteBody: {
            error?: string | null;
        };
        MessageEventGap: {
            from: number;
            to: number;
        };
        MessageEventList: {
            events: {
                event_id: string;
                event_type: string;
                message_id: string;
                payload: {
                    [key: string]: unknown;
                };
                sequence: number;
                session_id: string;
                timestamp: components["schemas"]["Instant"];
            }[];
            gap: components["schemas"]["MessageEventGap"] | null;
            next: number;
        };
        MessageList: {
            count: number;
            messages: components["schemas"]["Message"][];
            session_id: string;
        };
        MessageOpenBody: {
            metadata?: {
                [key: string]: unknown;
            } | null;
            parent_message_id?: string | null;
            /** @enum {string} */
            role: "user" | "assistant" | "system" | "agent" | "tool";
        };
        MessageTaskAnswer: {
            progress: number;
            sequence: number;
            status: string;
            task_id: string;
        };
        MessageTaskBody: {
            content?: {
                [key: string]: unknown;
            } | null;
            error?: string | null;
            progress?: number | null;
            /** @enum {string} */
            status: "processing" | "completed" | "failed";
        };
        MessageTaskStarted: {
            content_id: string;
            sequence: number;
            status: string;
            task_id: string;
        };
        ModelPrice: {
            cached: string;
            input: string;
            model: string;
            output: string;
            updated_at: components["schemas"]["Instant"];
            updated_by: string;
        };
        ModelPriceBody: {
            cached?: string | null;
            input: string;
            output: string;
        };
        ModelPriceRemoved: {
            model: string;
            success: boolean;
        };
        ModelUsed: {
            cached: number;
            cost: string;
            input: number;
            model: string;
            output: number;
            provider?: string | null;
            reasoning: number;
            requests: number;
        };
        MoneyBody: {
            agent_id: string;
            amount: string;
        };
        MonitorLag: {
            delayed: number;
            endings: number;
            janitor: number;
            leases: number;
            limits: number;
            schedules: number;
            waits: number;
        };
        NewContentBlock: {
            content_id?: string | null;
            /** @constant */
            content_type: "text";
            task_id?: string | null;
            text: {
                text: string;
            };
        } | {
            content_id?: string | null;
            /** @constant */
            content_type: "image";
            image: {
                alt?: string | null;
                caption?: string | null;
                data?: string;
                height?: number | null;
                size?: number | null;
                url?: string;
                width?: number | null;
            };
            task_id?: string | null;
        } | {
            audio: {
                data?: string;
                duration?: number | null;
                size?: number | null;
                title?: string | null;
                url?: string;
            };
            content_id?: string | null;
            /** @constant */
            content_type: "audio";
            task_id?: string | null;
        } | {
            content_id?: string | null;
            /** @constant */
            content_type: "video";
            task_id?: string | null;
            video: {
                data?: string;
                duration?: number | null;
                size?: number | null;
                title?: string | null;
                url?: string;
            };
        } | {
            content_id?: string | null;
            /** @constant */
            content_type: "file";
            file: {
                data?: string;
                mime_type?: string | null;
                name?: string | null;
                size?: number | null;
                url?: string;
            };
            task_id?: string | null;
        } | {
            code: {
                code: string;
                language?: string | null;
            };
            content_id?: string | null;
            /** @constant */
            content_type: "code";
            task_id?: string | null;
        } | {
            content_id?: string | null;
            /** @constant */
            content_type: "markdown";
            markdown: {
                markdown: string;
            };
            task_id?: string | null;
        } | {
            content_id?: string | null;
            /** @constant */
            content_type: "html";
            html: {
                html: string;
            };
            task_id?: string | null;
        } | {
            content_id?: string | null;
            /** @constant */
            content_type: "json";
            json: {
                json: unknown;
            };
            task_id?: string | null;
        } | {
            content_id?: string | null;
            /** @constant */
            content_type: "thinking";
            task_id?: string | null;
            thinking: {
                thinking: string;
            };
        };
        Node: {
            arch: string | null;
            available_skills: string[];
            average_execution_time: number;
            cpu_usage: number;
            disk_usage: number;
            failed_tasks: number;
            hostname: string;
            incarnation: number;
            ip_address: string;
            last_heartbeat: components["schemas"]["Instant"];
            max_concurrent_tasks: number;
            memory_usage: number;
            node_id: string;
            platform: string | null;
            port: number;
            registered_at: components["schemas"]["Instant"];
            running_tasks: number;
            /** @enum {string} */
            status: "online" | "offline" | "busy" | "maintenance" | "error";
            successful_tasks: number;
            tags: string[];
            tailscale_ip: string;
            total_tasks_processed: number;
        };
        NodeChange: {
            available_skills?: string[] | null;
            average_execution_time?: number | null;
            failed_tasks?: number | null;
            max_concurrent_tasks?: number | null;
            /** @enum {string|null} */
            status?: "online" | "offline" | "busy" | "maintenance" | "error" | null;
            successful_tasks?: number | null;
            tags?: string[] | null;
            total_tasks_processed?: number | null;
        };
        NodeDone: {
            message?: string | null;
            node_id: string;
            success: boolean;
        };
        NodeHealth: {
            available_capacity: number;
            cpu_usage: number;
            disk_usage: number;
            healthy: boolean;
            hostname: string;
            is_timeout: boolean;
            last_heartbeat: components["schemas"]["Instant"];
            max_concurrent_tasks: number;
            memory_usage: number;
            node_id: string;
            running_tasks: number;
            status: string;
            time_since_heartbeat: number;
        };
        NodesByStatus: {
            busy: number;
            error: number;
            maintenance: number;
            offline: number;
            online: number;
        };
        ParentBody: {
            task_id: string;
            token: string;
        };
        PenaltyAnswer: {
            name: string;
            shut_until: components["schemas"]["Instant"];
            success: boolean;
        };
        PenaltyBody: {
            key?: string | null;
            owner?: string | null;
            retry_after_ms: number;
            task_id?: string | null;
            token?: string | null;
        };
        Position: {
            agent_id: string;
            asset: string;
            close_price: string | null;
            close_reason: string | null;
            closed_at: components["schemas"]["Instant"] | null;
            counter_position: string;
            created_at: components["schemas"]["Instant"];
            entry_price: string;
            intent_id: string;
            leverage: number;
            margin: string;
            mark: string;
            match_id: string;
            position_id: string;
            realized_pnl: string;
            side: string;
            size: string;
            status: string;
            unrealized_pnl: string;
        };
        PositionClosed: {
            close_price: string | null;
            pnl: string;
            position: components["schemas"]["Position"];
            position_id: string;
            success: boolean;
        };
        PositionList: {
            agent_id: string;
            positions: components["schemas"]["Position"][];
            total: number;
        };
        PositionMarked: {
            liquidated: boolean;
            position: components["schemas"]["Position"];
            success: boolean;
        };
        PriceBody: {
            price?: string | null;
        };
        Problem: {
            /** @enum {string} */
            code: "malformed_request" | "malformed_json" | "invalid_parameter" | "invalid_registration" | "insufficient_balance" | "unauthenticated" | "forbidden" | "act_required" | "not_found" | "method_not_allowed" | "request_timeout" | "conflict" | "fenced" | "in_progress" | "inbox_full" | "signals_full" | "quota_exceeded" | "budget_exhausted" | "payload_too_large" | "unsupported_media_type" | "misdirected" | "validation_failed" | "idempotency_mismatch" | "rate_limited" | "internal" | "hub_unavailable" | "deadline_exceeded" | "store_unavailable" | "store_full" | "store_resharding" | "durability_not_reached" | "overloaded";
            detail: string;
            errors?: {
                field: string;
                message: string;
            }[];
            request_id: string;
            status: number;
            title: string;
            type: string;
        };
        ProducerBody: {
            epoch: number;
            id: string;
            seq: number;
        };
        QueueBody: {
            paused?: boolean | null;
            paused_skills?: string[] | null;
            paused_types?: ("interactive" | "batch" | "compute_intensive" | "io_intensive" | "daemon")[] | null;
        };
        QueueState: {
            paused: boolean;
            paused_skills: string[];
            paused_types: string[];
        };
        Rate: {
            count: number;
            per_ms: number;
            /** @enum {string} */
            unit: "tasks" | "tokens";
        };
        RateBody: {
            count: number;
            per_ms: number;
            /** @enum {string|null} */
            unit?: "tasks" | "tokens" | null;
        };
        ReceiveAnswer: {
            messages: components["schemas"]["ReceivedMail"][];
        };
        ReceiveBody: {
            lease_ms?: number | null;
            limit?: number | null;
        };
        ReceivedMail: {
            attempts: number;
            content: unknown;
            from: string;
            metadata: unknown;
            msg_id: string;
            priority: string;
            receipt: string;
            timestamp?: unknown;
            topic: string;
        };
        Record: {
            fields: {
                [key: string]: string;
            };
            id: string;
            kind: string;
        };
        Registered: {
            message: string;
            node_id: string;
            node_info: components["schemas"]["Node"];
            registered: boolean;
            success: boolean;
        };
        Registration: {
            /** @enum {string} */
            arch: "x64" | "arm64" | "x86" | "arm";
            available_skills: string[];
            hostname: string;
            ip_address?: string | null;
            max_concurrent_tasks?: number | null;
            node_id?: string | null;
            /** @enum {string} */
            platform: "macos" | "windows" | "linux";
            port?: number | null;
            tags?: string[] | null;
            tailscale_ip?: string | null;
        };
        RenewedClaim: {
            lease_expires_in_ms: number;
            task_id: string;
        };
        ResignAnswer: {
            leader: string | null;
            success: boolean;
            term: number;
        };
        ResignBody: {
            node_id: string;
            term: number;
        };
        RetryBody: {
            factor?: number | null;
            first_ms?: number | null;
            jitter?: number | null;
            most_ms?: number | null;
        };
        RetryPolicy: {
            factor: number;
            first_ms: number;
            jitter: number;
            most_ms: number;
        };
        Run: {
            at: components["schemas"]["Instant"];
            /** @enum {string} */
            cause: "time" | "trigger" | "backfill";
            due_at: components["schemas"]["Instant"];
            /** @enum {string} */
            outcome: "started" | "skipped" | "refused";
            reason?: string | null;
            /** @enum {string|null} */
            status?: "pending" | "scheduled" | "waiting" | "running" | "completed" | "failed" | "cancelled" | "timeout" | null;
            task_id?: string | null;
        };
        RunsAnswer: {
            runs: components["schemas"]["Run"][];
            schedule_id: string;
            success: boolean;
        };
        Schedule: {
            catch_up: components["schemas"]["CatchUp"];
            created_at: components["schemas"]["Instant"];
            missed: number;
            next_at: components["schemas"]["Instant"] | null;
            note: string;
            /** @enum {string} */
            overlap: "skip" | "buffer" | "cancel" | "allow";
            owner: string;
            pause_on_failure: boolean;
            paused: boolean;
            refused: number;
            revision: number;
            schedule_id: string;
            skipped: number;
            spec: components["schemas"]["Spec"];
            started: number;
            task: {
                [key: string]: unknown;
            };
            updated_at: components["schemas"]["Instant"];
        };
        ScheduleBody: {
            catch_up?: components["schemas"]["CatchUpBody"] | null;
            note?: string | null;
            /** @enum {string|null} */
            overlap?: "skip" | "buffer" | "cancel" | "allow" | null;
            pause_on_failure?: boolean | null;
            paused?: boolean | null;
            spec: components["schemas"]["SpecBody"];
            task: components["schemas"]["TaskBody"];
        };
        ScheduleNote: {
            note?: string | null;
        };
        ScheduleRemoved: {
            schedule_id: string;
            success: boolean;
        };
        ScheduleStanding: {
            catch_up: components["schemas"]["CatchUp"];
            created_at: components["schemas"]["Instant"];
            missed: number;
            next_at: components["schemas"]["Instant"] | null;
            note: string;
            /** @enum {string} */
            overlap: "skip" | "buffer" | "cancel" | "allow";
            owner: string;
            pause_on_failure: boolean;
            paused: boolean;
            refused: number;
            revision: number;
            runs: components["schemas"]["Run"][];
            schedule_id: string;
            skipped: number;
            spec: components["schemas"]["Spec"];
            started: number;
            task: {
                [key: string]: unknown;
            };
            upcoming: components["schemas"]["Instant"][];
            updated_at: components["schemas"]["Instant"];
        };
        SealList: {
            seals: string[];
            total: number;
        };
        ServiceHealth: {
            service: string;
            status: string;
            timestamp: components["schemas"]["Instant"];
        };
        Session: {
            audience: ("any" | "owner") | string[] | null;
            created_at: components["schemas"]["Instant"];
            /** @enum {string|null} */
            if_busy?: "parallel" | "enqueue" | "reject" | "interrupt" | "rollback" | null;
            metadata: {
                [key: string]: unknown;
            };
            session_id: string;
            /** @enum {string} */
            status: "active" | "closed";
            updated_at: components["schemas"]["Instant"];
            user_id: string | null;
        };
        SessionAnswer: {
            created_at: components["schemas"]["Instant"];
            session_id: string;
            status: string;
        };
        SessionBody: {
            audience?: ("any" | "owner") | string[] | null;
            /** @enum {string|null} */
            if_busy?: "parallel" | "enqueue" | "reject" | "interrupt" | "rollback" | null;
            metadata?: {
                [key: string]: unknown;
            } | null;
            session_id?: string | null;
            user_id?: string | null;
        };
        SessionClosed: {
            session_id: string;
            status: string;
        };
        SessionTaskAnswer: {
            message_id: string;
            session_id: string;
            status: string;
            stream_url: string;
            task_id: string;
        };
        SessionTaskBody: {
            audience?: ("any" | "owner") | string[] | null;
            /** @enum {string|null} */
            if_busy?: "parallel" | "enqueue" | "reject" | "interrupt" | "rollback" | null;
            max_iterations?: number | null;
            priority?: number | null;
            required_skills?: string[] | null;
            target_node?: string | null;
            task_description: string;
            timeout?: number | null;
            /** @enum {string|null} */
            workflow?: "simple" | "planner" | "critic" | null;
        };
        Settlement: {
            amount: string;
            created_at: components["schemas"]["Instant"];
            entry_id: string;
            from_agent: string;
            memo: string;
            settlement_id: string;
            status: string;
            to_agent: string;
            type: string;
        };
        ShownAgent: {
            agent_id: string;
            available?: string;
            balance?: string;
            created_at: components["schemas"]["Instant"];
            display_name: string | null;
            locked?: string;
            metadata: {
                [key: string]: unknown;
            };
            status: string;
            wallet_address: string | null;
        };
        Signal: {
            name: string;
            payload: unknown;
            sent_at: components["schemas"]["Instant"];
        };
        SignalAnswer: {
            queued: number;
            success: boolean;
            task_id: string;
        };
        SignalBody: {
            name: string;
            payload?: unknown;
        };
        SignalList: {
            signals: components["schemas"]["Signal"][];
        };
        Spec: {
            cron?: string | null;
            end_at?: components["schemas"]["Instant"] | null;
            every_ms?: number | null;
            jitter_ms: number;
            start_at?: components["schemas"]["Instant"] | null;
            timezone: string;
        };
        SpecBody: {
            cron?: string | null;
            end_at?: string | null;
            every_ms?: number | null;
            jitter_ms?: number | null;
            start_at?: string | null;
            timezone?: string | null;
        };
        SubmittedTask: {
            affinity_tags: string[];
            after?: components["schemas"]["Followed"][];
            assigned_node: string | null;
            audience: unknown;
            budget?: components["schemas"]["TaskBudget"] | null;
            charge?: components["schemas"]["TaskCharge"] | null;
            completed_at: components["schemas"]["Instant"] | null;
            deduplicated?: boolean;
            description: string;
            error: string | null;
            fairness_key?: string | null;
            fairness_weight?: number | null;
            group_id?: string | null;
            keep_completed_ms?: number | null;
            keep_failed_ms?: number | null;
            labels?: {
                [key: string]: string;
            };
            limits?: components["schemas"]["TaskLimit"][];
            max_retries: number;
            message_id: string | null;
            metadata: {
                [key: string]: unknown;
            };
            name: string;
            optional_skills: string[];
            paid?: string | null;
            parameters: {
                [key: string]: unknown;
            };
            priority: number;
            progress: number;
            required_skills: string[];
            result: unknown;
            retry?: components["schemas"]["RetryPolicy"] | null;
            retry_count: number;
            routable: boolean;
            scheduled_at: components["schemas"]["Instant"] | null;
            session_id: string | null;
            started_at: components["schemas"]["Instant"] | null;
            /** @enum {string} */
            status: "pending" | "scheduled" | "waiting" | "running" | "completed" | "failed" | "cancelled" | "timeout";
            submitted_at: components["schemas"]["Instant"];
            target_node: string | null;
            task_id: string;
            /** @enum {string} */
            task_type: "interactive" | "batch" | "compute_intensive" | "io_intensive" | "daemon";
            timeout: number;
            usage?: components["schemas"]["TaskUsage"] | null;
            user_id: string | null;
            wait_id?: string | null;
        };
        TakeSignalsBody: {
            name?: string | null;
            token: string;
        };
        Task: {
            affinity_tags: string[];
            after?: components["schemas"]["Followed"][];
            assigned_node: string | null;
            audience: unknown;
            budget?: components["schemas"]["TaskBudget"] | null;
            charge?: components["schemas"]["TaskCharge"] | null;
            completed_at: components["schemas"]["Instant"] | null;
            description: string;
            error: string | null;
            fairness_key?: string | null;
            fairness_weight?: number | null;
            group_id?: string | null;
            keep_completed_ms?: number | null;
            keep_failed_ms?: number | null;
            labels?: {
                [key: string]: string;
            };
            limits?: components["schemas"]["TaskLimit"][];
            max_retries: number;
            message_id: string | null;
            metadata: {
                [key: string]: unknown;
            };
            name: string;
            optional_skills: string[];
            paid?: string | null;
            parameters: {
                [key: string]: unknown;
            };
            priority: number;
            progress: number;
            required_skills: string[];
            result: unknown;
            retry?: components["schemas"]["RetryPolicy"] | null;
            retry_count: number;
            scheduled_at: components["schemas"]["Instant"] | null;
            session_id: string | null;
            started_at: components["schemas"]["Instant"] | null;
            /** @enum {string} */
            status: "pending" | "scheduled" | "waiting" | "running" | "completed" | "failed" | "cancelled" | "timeout";
            submitted_at: components["schemas"]["Instant"];
            target_node: string | null;
            task_id: string;
            /** @enum {string} */
            task_type: "interactive" | "batch" | "compute_intensive" | "io_intensive" | "daemon";
            timeout: number;
            usage?: components["schemas"]["TaskUsage"] | null;
            user_id: string | null;
            wait_id?: string | null;
        };
        TaskBody: {
            affinity_tags?: string[] | null;
            after?: components["schemas"]["AfterBody"][] | null;
            approval?: components["schemas"]["ApprovalBody"] | null;
            audience?: ("any" | "owner") | string[] | null;
            budget?: components["schemas"]["TaskBudgetBody"] | null;
            charge?: components["schemas"]["ChargeBody"] | null;
            delay_ms?: number | null;
            description?: string | null;
            fairness_key?: string | null;
            fairness_weight?: number | null;
            group_id?: string | null;
            keep_completed_ms?: number | null;
            keep_failed_ms?: number | null;
            labels?: {
                [key: string]: string;
            } | null;
            limits?: components["schemas"]["TaskLimitBody"][] | null;
            max_retries?: number | null;
            metadata?: {
                [key: string]: unknown;
            } | null;
            name: string;
            optional_skills?: string[] | null;
            parameters?: {
                [key: string]: unknown;
            } | null;
            priority?: number | null;
            required_skills?: string[] | null;
            retry?: components["schemas"]["RetryBody"] | null;
            target_node?: string | null;
            task_id?: string | null;
            /** @enum {string|null} */
            task_type?: "interactive" | "batch" | "compute_intensive" | "io_intensive" | "daemon" | null;
            timeout?: number | null;
            unique?: components["schemas"]["UniqueBody"] | null;
            user_id?: string | null;
        };
        TaskBudget: {
            cost: string | null;
            /** @enum {string} */
            on_exceed: "flag" | "cancel" | "wait";
            tokens: number | null;
        };
        TaskBudgetBody: {
            cost?: string | null;
            /** @enum {string|null} */
            on_exceed?: "flag" | "cancel" | "wait" | null;
            tokens?: number | null;
        };
        TaskCharge: {
            from: string;
            hold_id: string;
            max: string;
            to?: string | null;
        };
        TaskClaimAnswer: {
            reason?: string;
            tasks: components["schemas"]["ClaimedTask"][];
        };
        TaskClaimBody: {
            lease_ms?: number | null;
            limit?: number | null;
            node_id: string;
            task_id?: string | null;
            wait_ms?: number | null;
        };
        TaskCleanupAnswer: {
            deleted: number;
        };
        TaskCleanupBody: {
            days?: number | null;
        };
        TaskCompleteBody: {
            amount?: string | null;
            content?: (({
                [key: string]: unknown;
            } | components["schemas"]["NewContentBlock"] | null) | null) | components["schemas"]["NewContentBlock"] | null;
            result?: unknown;
            token: string;
            usage?: components["schemas"]["UsageBody"][] | null;
        };
        TaskEditBody: {
            affinity_tags?: string[] | null;
            delay_ms?: number | null;
            description?: string | null;
            /** @enum {string|null} */
            if_status?: "pending" | "scheduled" | "waiting" | null;
            labels?: {
                [key: string]: string;
            } | null;
            max_retries?: number | null;
            metadata?: {
                [key: string]: unknown;
            } | null;
            name?: string | null;
            optional_skills?: string[] | null;
            parameters?: {
                [key: string]: unknown;
            } | null;
            priority?: number | null;
            required_skills?: string[] | null;
            retry?: components["schemas"]["RetryBody"] | null;
            /** @enum {string|null} */
            task_type?: "interactive" | "batch" | "compute_intensive" | "io_intensive" | "daemon" | null;
            timeout?: number | null;
        };
        TaskFailBody: {
            error?: string | null;
            retry_in_ms?: number | null;
            retryable?: boolean | null;
            snooze?: boolean | null;
            token: string;
            usage?: components["schemas"]["UsageBody"][] | null;
        };
        TaskFilter: {
            assigned_node?: string | null;
            error?: string | null;
            error_key?: string | null;
            labels?: {
                [key: string]: string;
            } | null;
            name?: string | null;
            session_id?: string | null;
            since?: string | null;
            /** @enum {string|null} */
            status?: "pending" | "scheduled" | "waiting" | "running" | "completed" | "failed" | "cancelled" | "timeout" | "" | null;
            until?: string | null;
            user_id?: string | null;
        };
        TaskLimit: {
            cost: number;
            key?: string | null;
            name: string;
            tokens: number;
        };
        TaskLimitBody: {
            cost?: number | null;
            key?: string | null;
            name: string;
            tokens?: number | null;
        };
        TaskLog: {
            cursor: string;
            gap: components["schemas"]["TaskLogGap"] | null;
            has_more: boolean;
            lines: components["schemas"]["TaskLogLine"][];
            /** @enum {string} */
            status: "pending" | "scheduled" | "waiting" | "running" | "completed" | "failed" | "cancelled" | "timeout";
            success: boolean;
        };
        TaskLogBody: {
            lines: components["schemas"]["TaskLogLineBody"][];
            seq?: number | null;
            token: string;
        };
        TaskLogGap: {
            from: string;
            to: string;
        };
        TaskLogLine: {
            at: components["schemas"]["Instant"];
            attempt: number;
            id: string;
            /** @enum {string|null} */
            level: "debug" | "info" | "warn" | "error" | null;
            /** @enum {string|null} */
            stream: "stdout" | "stderr" | null;
            text: string;
        };
        TaskLogLineBody: {
            at?: string | null;
            /** @enum {string|null} */
            level?: "debug" | "info" | "warn" | "error" | null;
            /** @enum {string|null} */
            stream?: "stdout" | "stderr" | null;
            text: string;
        };
        TaskLogWritten: {
            cursor: string;
            dropped: number;
            success: boolean;
        };
        TaskProgressAnswer: {
            budget?: components["schemas"]["BudgetLeft"] | null;
            cancelled: boolean;
            lease_ms: number;
            progress: number;
            signals?: number;
            status: string;
            success: boolean;
            task_id: string;
            wait_id?: string | null;
        };
        TaskProgressBody: {
            checkpoint?: unknown;
            lease_ms?: number | null;
            progress?: number | null;
            token: string;
            usage?: components["schemas"]["UsageBody"][] | null;
        };
        TaskRedriveAnswer: {
            dry_run: boolean;
            redriven: number;
            task_ids: string[];
        };
        TaskRedriveBody: {
            dry_run?: boolean | null;
            filter?: components["schemas"]["TaskRedriveFilter"] | null;
            task_ids?: string[] | null;
        } | {
            task_ids: unknown[];
        } | {
            filter: {
                [key: string]: unknown;
            };
        };
        TaskRedriveFilter: {
            error_key?: string | null;
            /** @enum {string|null} */
            status?: "" | "failed" | "timeout" | null;
            user_id?: string | null;
        };
        TaskRemoved: {
            success: boolean;
            task_id: string;
        };
        TaskStats: {
            cancelled: number;
            completed: number;
            dead: number;
            delayed: number;
            ended: number;
            ended_bytes: number;
            ever: components["schemas"]["TaskTotals"];
            failed: number;
            fenced: number;
            oldest_end: components["schemas"]["Instant"] | null;
            overdue: number;
            pending: number;
            running: number;
            scheduled: number;
            skill_sets: number;
            suspended: number;
            timeout: number;
            total: number;
            waiting: number;
        };
        TaskTotals: {
            cancelled: number;
            claimed: number;
            completed: number;
            dead: number;
            failed: number;
            fenced: number;
            submitted: number;
            timeout: number;
        };
        TaskUsage: {
            cached: number;
            cost: string;
            input: number;
            models: components["schemas"]["ModelUsed"][];
            output: number;
            reasoning: number;
            requests: number;
        };
        TasksByStatus: {
            cancelled: number;
            completed: number;
            failed: number;
            pending: number;
            running: number;
            scheduled: number;
            timeout: number;
            waiting: number;
        };
        TimeoutNode: {
            hostname: string;
            last_heartbeat: components["schemas"]["Instant"];
            node_id: string;
            timeout_seconds: number;
        };
        TransferAnswer: {
            settlement: components["schemas"]["Settlement"];
            success: boolean;
        };
        TransferBody: {
            amount: string;
            from_agent: string;
            memo?: string | null;
            to_agent: string;
        };
        TriggerBody: {
            /** @enum {string|null} */
            overlap?: "skip" | "buffer" | "cancel" | "allow" | null;
        };
        UniqueBody: {
            debounce_ms?: number | null;
            key: string;
            most_ms?: number | null;
            /** @enum {string|null} */
            scope?: "owner" | "all" | null;
            /** @enum {string|null} */
            then?: "return" | "reject" | "replace" | "debounce" | null;
            ttl_ms?: number | null;
            /** @enum {string|null} */
            while?: "waiting" | "active" | "ttl" | null;
        };
        UsageAnswer: {
            /** @enum {string} */
            by: "model" | "owner" | "user" | "node" | "group";
            from: string;
            rows: components["schemas"]["UsageRow"][];
            to: string;
            total: components["schemas"]["Used"];
        };
        UsageBody: {
            cached?: number | null;
            cost?: string | null;
            input?: number | null;
            model: string;
            output?: number | null;
            provider?: string | null;
            reasoning?: number | null;
            requests?: number | null;
        };
        UsageRow: {
            cached: number;
            cost: string;
            day: string;
            input: number;
            key: string;
            output: number;
            reasoning: number;
            requests: number;
        };
        Used: {
            cached: number;
            cost: string;
            input: number;
            output: number;
            reasoning: number;
            requests: number;
        };
        Wait: {
            answers: components["schemas"]["WaitAnswer"][];
            approvals: number;
            asked_at: components["schemas"]["Instant"];
            assignees: string[];
            by_other: boolean;
            details: unknown;
            ended_at: components["schemas"]["Instant"] | null;
            expires_at: components["schemas"]["Instant"] | null;
            /** @enum {string} */
            kind: "approval" | "signal" | "sleep" | "tasks";
            name: string | null;
            on_expire: string | null;
            options: components["schemas"]["WaitOption"][];
            owner: string;
            question: string | null;
            /** @enum {string} */
            state: "open" | "answered" | "expired" | "over" | "cancelled";
            task_id: string;
            wait_id: string;
        };
        WaitAnswer: {
            at: string;
            by: string;
            comment: string | null;
            decision: string;
            value: unknown;
        };
        WaitAnswerBody: {
            comment?: string | null;
            decision: string;
            value?: unknown;
        };
        WaitBody: {
            approvals?: number | null;
            assignees?: string[] | null;
            by_other?: boolean | null;
            checkpoint?: unknown;
            details?: unknown;
            expires_in_ms?: number | null;
            for_ms?: number | null;
            group_id?: string | null;
            /** @enum {string} */
            kind: "approval" | "signal" | "sleep" | "tasks";
            name?: string | null;
            /** @enum {string|null} */
            on_expire?: "reject" | "approve" | "fail" | null;
            options?: components["schemas"]["WaitOptionBody"][] | null;
            question?: string | null;
            task_ids?: string[] | null;
            token: string;
            /** @enum {string|null} */
            until?: "ended" | "completed" | "any" | null;
            usage?: components["schemas"]["UsageBody"][] | null;
        };
        WaitOption: {
            label: string;
            value: string;
        };
        WaitOptionBody: {
            label?: string | null;
            value: string;
        };
        WaitStarted: {
            expires_at: components["schemas"]["Instant"] | null;
            ready: boolean;
            resume?: unknown;
            status: string;
            success: boolean;
            task_id: string;
            wait_id: string;
        };
        WhyAnswer: {
            ahead: number;
            due_at: components["schemas"]["Instant"] | null;
            fair_delay_ms?: number | null;
            message: string;
            nodes: components["schemas"]["WhyNodes"];
            reason: string;
            skills: components["schemas"]["WhySkill"][];
            status: string;
            task_id: string;
        };
        WhyNodes: {
            able: number;
            free: number;
            online: number;
        };
        WhySkill: {
            nodes: number;
            online: number;
            skill: string;
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
    register_node: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Registration"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Registered"];
                };
            };
        };
    };
    list_nodes: {
        parameters: {
            query?: {
                status_filter?: "online" | "offline" | "busy" | "maintenance" | "error" | "";
                status?: "online" | "offline" | "busy" | "maintenance" | "error" | "";
                skill?: string;
                tag?: string;
                limit?: number;
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Node"][];
                };
            };
        };
    };
    list_online_nodes: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Node"][];
                };
            };
        };
    };
    list_available_nodes: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Node"][];
                };
            };
        };
    };
    list_nodes_by_skill: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string;
            };
            header?: never;
            path: {
                skill: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Node"][];
                };
            };
        };
    };
    show_node: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Node"];
                };
            };
        };
    };
    remove_node: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NodeDone"];
                };
            };
        };
    };
    change_node: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NodeChange"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Node"];
                };
            };
        };
    };
    shut_down_node: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NodeDone"];
                };
            };
        };
    };
    send_heartbeat: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["HeartbeatBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HeartbeatAnswer"];
                };
            };
        };
    };
    send_heartbeats: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": unknown[];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": (components["schemas"]["HeartbeatAnswer"] | components["schemas"]["HeartbeatFailure"])[];
                };
            };
        };
    };
    show_node_health: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NodeHealth"];
                };
            };
        };
    };
    show_cluster_health: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ClusterHealth"];
                };
            };
        };
    };
    show_cluster_state: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ClusterState"];
                };
            };
        };
    };
    show_durability: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DurabilityGiven"];
                };
            };
        };
    };
    list_cluster_events: {
        parameters: {
            query?: {
                after?: string;
                latest?: boolean;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ClusterEventList"];
                };
            };
        };
    };
    check_heartbeats: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["CheckBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CheckAnswer"];
                };
            };
        };
    };
    show_leader: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Leadership"];
                };
            };
        };
    };
    campaign: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CampaignBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CampaignAnswer"];
                };
            };
        };
    };
    resign: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ResignBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ResignAnswer"];
                };
            };
        };
    };
    show_cluster_monitor: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ClusterMonitor"];
                };
            };
        };
    };
    list_leaders: {
        parameters: {
            query?: {
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LeaderHistoryEntry"][];
                };
            };
        };
    };
    list_locks: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Lock"][];
                };
            };
        };
    };
    show_lock: {
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
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Lock"];
                };
            };
        };
    };
    acquire_lock: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LockAcquireBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LockAcquired"];
                };
            };
        };
    };
    renew_lock: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LockRenewBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Lock"];
                };
            };
        };
    };
    release_lock: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LockReleaseBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LockReleased"];
                };
            };
        };
    };
    check_service: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ServiceHealth"];
                };
            };
        };
    };
    check_readiness: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        durability?: components["schemas"]["LevelGiven"][];
                        service?: string;
                        /** @constant */
                        status: "ready";
                        warnings?: string[];
                    };
                };
            };
        };
    };
    list_sessions: {
        parameters: {
            query?: {
                user_id?: string;
                status?: "active" | "closed" | "";
                limit?: number;
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"][];
                };
            };
        };
    };
    create_session: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["SessionBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionAnswer"];
                };
            };
        };
    };
    show_session: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                sid: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
        };
    };
    close_session: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                sid: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionClosed"];
                };
            };
        };
    };
    submit_session_task: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                sid: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SessionTaskBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionTaskAnswer"];
                };
            };
        };
    };
    list_tasks: {
        parameters: {
            query?: {
                status?: "pending" | "scheduled" | "waiting" | "running" | "completed" | "failed" | "cancelled" | "timeout" | "";
                status_filter?: "pending" | "scheduled" | "waiting" | "running" | "completed" | "failed" | "cancelled" | "timeout" | "";
                assigned_node?: string;
                user_id?: string;
                session_id?: string;
                name?: string;
                label?: string;
                since?: string;
                until?: string;
                "error~"?: string;
                error_key?: string;
                limit?: number;
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Task"][];
                };
            };
        };
    };
    submit_task: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TaskBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SubmittedTask"];
                };
            };
        };
    };
    list_waiting_tasks: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Task"][];
                };
            };
        };
    };
    count_tasks: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskStats"];
                };
            };
        };
    };
    clean_up_tasks: {
        parameters: {
            query?: {
                days?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["TaskCleanupBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskCleanupAnswer"];
                };
            };
        };
    };
    claim_tasks: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TaskClaimBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskClaimAnswer"];
                };
            };
        };
    };
    report_progress: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TaskProgressBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskProgressAnswer"];
                };
            };
        };
    };
    complete_task: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TaskCompleteBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Task"];
                };
            };
        };
    };
    fail_task: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TaskFailBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Task"];
                };
            };
        };
    };
    show_task: {
        parameters: {
            query?: {
                wait_ms?: number;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Task"];
                };
            };
        };
    };
    remove_task: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskRemoved"];
                };
            };
        };
    };
    edit_task: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TaskEditBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SubmittedTask"];
                };
            };
        };
    };
    explain_task: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WhyAnswer"];
                };
            };
        };
    };
    list_attempts: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Attempts"];
                };
            };
        };
    };
    cancel_task: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Task"];
                };
            };
        };
    };
    retry_task: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Task"];
                };
            };
        };
    };
    read_task_log: {
        parameters: {
            query?: {
                after?: string;
                tail?: unknown;
                limit?: number;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskLog"];
                };
            };
        };
    };
    write_task_log: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TaskLogBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskLogWritten"];
                };
            };
        };
    };
    list_dead_tasks: {
        parameters: {
            query?: {
                group?: "error" | "";
                limit?: number;
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Task"][] | components["schemas"]["DeadByError"];
                };
            };
        };
    };
    redrive_tasks: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TaskRedriveBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskRedriveAnswer"];
                };
            };
        };
    };
    submit_batch: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BatchBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BatchAnswer"];
                };
            };
        };
    };
    show_group: {
        parameters: {
            query?: {
                wait_ms?: number;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Group"];
                };
            };
        };
    };
    list_group_tasks: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Task"][];
                };
            };
        };
    };
    cancel_group: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GroupChanged"];
                };
            };
        };
    };
    retry_group: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GroupChanged"];
                };
            };
        };
    };
    list_limits: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Limit"][];
                };
            };
        };
    };
    show_limit: {
        parameters: {
            query?: {
                key?: string;
                owner?: string;
            };
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LimitStanding"];
                };
            };
        };
    };
    set_limit: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LimitBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Limit"];
                };
            };
        };
    };
    remove_limit: {
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
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LimitRemoved"];
                };
            };
        };
    };
    shut_limit: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PenaltyBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PenaltyAnswer"];
                };
            };
        };
    };
    show_queue: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QueueState"];
                };
            };
        };
    };
    pause_queue: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["QueueBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QueueState"];
                };
            };
        };
    };
    show_fairness: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fairness"];
                };
            };
        };
    };
    set_fairness: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["FairnessBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fairness"];
                };
            };
        };
    };
    list_schedules: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Schedule"][];
                };
            };
        };
    };
    show_schedule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ScheduleStanding"];
                };
            };
        };
    };
    set_schedule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ScheduleBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Schedule"];
                };
            };
        };
    };
    remove_schedule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ScheduleRemoved"];
                };
            };
        };
    };
    pause_schedule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["ScheduleNote"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Schedule"];
                };
            };
        };
    };
    resume_schedule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["ScheduleNote"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Schedule"];
                };
            };
        };
    };
    trigger_schedule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["TriggerBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunsAnswer"];
                };
            };
        };
    };
    backfill_schedule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BackfillBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunsAnswer"];
                };
            };
        };
    };
    show_usage: {
        parameters: {
            query?: {
                by?: "model" | "owner" | "user" | "node" | "group";
                from?: string;
                to?: string;
                owner?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UsageAnswer"];
                };
            };
        };
    };
    list_prices: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ModelPrice"][];
                };
            };
        };
    };
    set_price: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                model: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ModelPriceBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ModelPrice"];
                };
            };
        };
    };
    remove_price: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                model: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ModelPriceRemoved"];
                };
            };
        };
    };
    list_budgets: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Budget"][];
                };
            };
        };
    };
    show_budget: {
        parameters: {
            query?: {
                owner?: string;
            };
            header?: never;
            path: {
                scope: "owner" | "user" | "group";
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Budget"];
                };
            };
        };
    };
    set_budget: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                scope: "owner" | "user" | "group";
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BudgetBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Budget"];
                };
            };
        };
    };
    remove_budget: {
        parameters: {
            query?: {
                owner?: string;
            };
            header?: never;
            path: {
                scope: "owner" | "user" | "group";
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BudgetRemoved"];
                };
            };
        };
    };
    show_history: {
        parameters: {
            query?: {
                from?: string;
                to?: string;
                step?: "60" | "3600";
                series?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["History"];
                };
            };
        };
    };
    wait_for: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["WaitBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WaitStarted"];
                };
            };
        };
    };
    signal_task: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SignalBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignalAnswer"];
                };
            };
        };
    };
    take_signals: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TakeSignalsBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignalList"];
                };
            };
        };
    };
    list_waits: {
        parameters: {
            query?: {
                kind?: "approval" | "signal" | "sleep" | "tasks" | "";
                assignee?: string;
                task_id?: string;
                limit?: number;
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Wait"][];
                };
            };
        };
    };
    show_wait: {
        parameters: {
            query?: {
                wait_ms?: number;
            };
            header?: never;
            path: {
                wid: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Wait"];
                };
            };
        };
    };
    answer_wait: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                wid: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["WaitAnswerBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Wait"];
                };
            };
        };
    };
    start_bulk: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BulkBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Bulk"];
                };
            };
        };
    };
    show_bulk: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Bulk"];
                };
            };
        };
    };
    stop_bulk: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Bulk"];
                };
            };
        };
    };
    list_messages: {
        parameters: {
            query?: {
                limit?: number;
                offset?: number;
                cursor?: string;
            };
            header?: never;
            path: {
                sid: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessageList"];
                };
            };
        };
    };
    send_message: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                sid: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MessageBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessageAnswer"];
                };
            };
        };
    };
    clean_up_messages: {
        parameters: {
            query?: {
                keep_days?: number;
            };
            header?: never;
            path: {
                sid: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessageCleanupAnswer"];
                };
            };
        };
    };
    open_message: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                sid: string;
                mid: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MessageOpenBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Message"];
                };
            };
        };
    };
    show_message: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                mid: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Message"];
                };
            };
        };
    };
    show_content: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                mid: string;
                cid: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ContentBlock"];
                };
            };
        };
    };
    list_message_events: {
        parameters: {
            query?: {
                after?: number;
                limit?: number;
            };
            header?: never;
            path: {
                mid: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessageEventList"];
                };
            };
        };
    };
    append_text: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                mid: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AppendBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AppendAnswer"];
                };
            };
        };
    };
    add_content: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                mid: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewContentBlock"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AddBlockAnswer"];
                };
            };
        };
    };
    start_message_task: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                mid: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    task_id?: string | null;
                    task_type: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessageTaskStarted"];
                };
            };
        };
    };
    change_message_task: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                mid: string;
                tid: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MessageTaskBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessageTaskAnswer"];
                };
            };
        };
    };
    complete_message: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                mid: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["MessageCompleteBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessageCompleteAnswer"];
                };
            };
        };
    };
    look_at_mail: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string;
            };
            header?: never;
            path: {
                agent: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MailList"];
                };
            };
        };
    };
    send_mail: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                agent: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MailBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MailAnswer"];
                };
            };
        };
    };
    receive_mail: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                agent: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["ReceiveBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReceiveAnswer"];
                };
            };
        };
    };
    accept_proposal: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                agent: string;
                msg_id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["AcceptBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AcceptAnswer"];
                };
            };
        };
    };
    acknowledge_mail: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                agent: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AcknowledgeBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AcknowledgeAnswer"];
                };
            };
        };
    };
    list_inboxes: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InboxList"];
                };
            };
        };
    };
    list_dead_mail: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string;
            };
            header?: never;
            path: {
                agent: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MailList"];
                };
            };
        };
    };
    redrive_mail: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                agent: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["MailRedriveBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MailRedriveAnswer"];
                };
            };
        };
    };
    register_agent: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["AgentBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AgentRegistered"];
                };
            };
        };
    };
    list_agents: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AgentList"];
                };
            };
        };
    };
    show_agent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ShownAgent"];
                };
            };
        };
    };
    remove_agent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AgentRemoved"];
                };
            };
        };
    };
    change_agent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AgentChange"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ShownAgent"];
                };
            };
        };
    };
    list_invites: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InviteList"];
                };
            };
        };
    };
    create_invite: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["InviteBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InviteAnswer"];
                };
            };
        };
    };
    revoke_invite: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InviteRevoked"];
                };
            };
        };
    };
    list_keys: {
        parameters: {
            query?: {
                agent_id?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeyList"];
                };
            };
        };
    };
    create_key: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["KeyBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeyAnswer"];
                };
            };
        };
    };
    revoke_key: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                key_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        message: string;
                        /** @constant */
                        success: true;
                    };
                };
            };
        };
    };
    rotate_key: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                key_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeyAnswer"];
                };
            };
        };
    };
    show_caller: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        agent: components["schemas"]["Agent"] | null;
                        auth: {
                            agent_id: string;
                            key_id: string | null;
                            scopes: ("read" | "write" | "trade" | "approve" | "admin")[];
                        };
                    };
                };
            };
        };
    };
    deposit: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MoneyBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BalanceChange"];
                };
            };
        };
    };
    withdraw: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MoneyBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BalanceChange"];
                };
            };
        };
    };
    transfer: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TransferBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TransferAnswer"];
                };
            };
        };
    };
    show_balance: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                agent: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Balance"];
                };
            };
        };
    };
    list_holds: {
        parameters: {
            query?: {
                agent_id?: string;
                status?: "pending" | "posted" | "voided" | "expired" | "";
                limit?: number;
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HoldList"];
                };
            };
        };
    };
    place_hold: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["HoldBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HoldAnswer"];
                };
            };
        };
    };
    show_hold: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Hold"];
                };
            };
        };
    };
    post_hold: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["HoldPostBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HoldAnswer"];
                };
            };
        };
    };
    void_hold: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HoldAnswer"];
                };
            };
        };
    };
    list_intents: {
        parameters: {
            query?: {
                agent_id?: string;
                asset?: string;
                status?: "open" | "matched" | "cancelled" | "";
                limit?: number;
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IntentList"];
                };
            };
        };
    };
    submit_intent: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["IntentBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IntentSubmitted"];
                };
            };
        };
    };
    show_intent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Intent"];
                };
            };
        };
    };
    cancel_intent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IntentCancelled"];
                };
            };
        };
    };
    match_intents: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MatchBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MatchAnswer"];
                };
            };
        };
    };
    list_positions: {
        parameters: {
            query?: {
                include_closed?: boolean;
                limit?: number;
                cursor?: string;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PositionList"];
                };
            };
        };
    };
    close_position: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["PriceBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PositionClosed"];
                };
            };
        };
    };
    mark_position: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PriceBody"] & {
                    price: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PositionMarked"];
                };
            };
        };
    };
    list_entries: {
        parameters: {
            query?: {
                agent_id?: string;
                order?: "newest" | "oldest" | "";
                after?: number;
                limit?: number;
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EntryList"];
                };
            };
        };
    };
    list_seals: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SealList"];
                };
            };
        };
    };
    audit_ledger: {
        parameters: {
            query?: {
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditPage"];
                };
            };
        };
    };
    list_indexed_entries: {
        parameters: {
            query: {
                agent_id: string;
                limit?: number;
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EntryIndex"];
                };
            };
        };
    };
    list_audit: {
        parameters: {
            query?: {
                order?: "newest" | "oldest" | "";
                chain?: "cluster" | "ledger" | "";
                actor?: string;
                action?: string;
                target?: string;
                limit?: number;
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditList"];
                };
            };
        };
    };
    list_audit_seals: {
        parameters: {
            query: {
                chain: "cluster" | "ledger";
                limit?: number;
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditSeals"];
                };
            };
        };
    };
    stream_message: {
        parameters: {
            query?: {
                last_id?: string;
            };
            header?: never;
            path: {
                sid: string;
                mid: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    stream_task_log: {
        parameters: {
            query?: {
                last_id?: string;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    stream_cluster_events: {
        parameters: {
            query?: {
                last_id?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
        };
    };
    check_host: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        service: "reef";
                        /** @constant */
                        status: "healthy";
                    };
                };
            };
        };
    };
    read_metrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain; version=0.0.4; charset=utf-8": string;
                };
            };
        };
    };
    read_debug: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        at: string;
                        configuration: {
                            [key: string]: unknown;
                        };
                        host: {
                            [key: string]: unknown;
                        };
                        log: string[];
                        log_lines_dropped: number;
                        metrics: string;
                        readiness: {
                            [key: string]: unknown;
                        };
                        redis: {
                            [key: string]: unknown;
                        };
                        /** @constant */
                        success: true;
                        up_seconds: number;
                        variables: {
                            [key: string]: unknown;
                        };
                    };
                };
            };
        };
    };
    explain_problem: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                code: "malformed_request" | "malformed_json" | "invalid_parameter" | "invalid_registration" | "insufficient_balance" | "unauthenticated" | "forbidden" | "act_required" | "not_found" | "method_not_allowed" | "request_timeout" | "conflict" | "fenced" | "in_progress" | "inbox_full" | "signals_full" | "quota_exceeded" | "budget_exhausted" | "payload_too_large" | "unsupported_media_type" | "misdirected" | "validation_failed" | "idempotency_mismatch" | "rate_limited" | "internal" | "hub_unavailable" | "deadline_exceeded" | "store_unavailable" | "store_full" | "store_resharding" | "durability_not_reached" | "overloaded";
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html; charset=utf-8": string;
                };
            };
        };
    };
    read_openapi: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        [key: string]: unknown;
                    };
                };
            };
        };
    };
    show_docs: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html; charset=utf-8": string;
                };
            };
        };
    };
    show_redoc: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html; charset=utf-8": string;
                };
            };
        };
    };
    show_dashboard: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html; charset=utf-8": string;
                };
            };
        };
    };
    load_asset: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                asset: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/javascript; charset=utf-8": string;
                };
            };
        };
    };
    begin_ui_session: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        [key: string]: unknown;
                    };
                };
            };
        };
    };
    end_ui_session: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        [key: string]: unknown;
                    };
                };
            };
        };
    };
    show_ui_act: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        acting: boolean;
                        agent_id?: string;
                        csrf?: string;
                        ends_at?: string;
                        expires_at?: string;
                        scopes?: string[];
                        /** @constant */
                        success: true;
                    };
                };
            };
        };
    };
    begin_ui_act: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    [key: string]: unknown;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        acting: boolean;
                        agent_id: string;
                        csrf: string;
                        ends_at: string;
                        expires_at: string;
                        scopes: string[];
                        /** @constant */
                        success: true;
                    };
                };
            };
        };
    };
    end_ui_act: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        acting: boolean;
                        agent_id?: string;
                        csrf?: string;
                        ends_at?: string;
                        expires_at?: string;
                        scopes?: string[];
                        /** @constant */
                        success: true;
                    };
                };
            };
        };
    };
    make_sign_in_link: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: string;
                        expires_in: number;
                        /** @constant */
                        success: true;
                    };
                };
            };
        };
    };
}
