"""The first tables: people, courses, orders, payments, progress."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = 'b4a0a11b8521'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('gateway_operations',
    sa.Column('key', sa.String(length=120), nullable=False),
    sa.Column('request', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('result_id', sa.String(length=255), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('done_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_gateway_operations')),
    sa.UniqueConstraint('key', name=op.f('uq_gateway_operations_key'))
    )
    op.create_table('sandbox_sessions',
    sa.Column('session_id', sa.String(length=255), nullable=False),
    sa.Column('operation_key', sa.String(length=80), nullable=False),
    sa.Column('request', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('status', sa.String(length=20), nullable=False),
    sa.Column('payment_status', sa.String(length=20), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sandbox_sessions')),
    sa.UniqueConstraint('operation_key', name=op.f('uq_sandbox_sessions_operation_key')),
    sa.UniqueConstraint('session_id', name=op.f('uq_sandbox_sessions_session_id'))
    )
    op.create_table('sign_in_attempts',
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('key', sa.String(length=254), nullable=False),
    sa.Column('attempted_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.CheckConstraint("kind IN ('account', 'address', 'everyone')", name=op.f('ck_sign_in_attempts_kind_known')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sign_in_attempts'))
    )
    op.create_index('ix_sign_in_attempts_recent', 'sign_in_attempts', ['kind', 'key', 'attempted_at'], unique=False)
    op.create_table('stripe_events',
    sa.Column('event_id', sa.String(length=255), nullable=False),
    sa.Column('type', sa.String(length=120), nullable=False),
    sa.Column('api_version', sa.String(length=40), nullable=True),
    sa.Column('livemode', sa.Boolean(), nullable=False),
    sa.Column('account', sa.String(length=255), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('raw', sa.LargeBinary(), nullable=False),
    sa.Column('source', sa.String(length=10), nullable=False),
    sa.Column('status', sa.String(length=20), nullable=False),
    sa.Column('attempts', sa.BigInteger(), nullable=False),
    sa.Column('next_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('last_error', sa.Text(), nullable=True),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('done_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.CheckConstraint("source IN ('push', 'pull', 'sandbox')", name=op.f('ck_stripe_events_source_known')),
    sa.CheckConstraint("status IN ('new', 'done', 'parked', 'dead')", name=op.f('ck_stripe_events_status_known')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_stripe_events')),
    sa.UniqueConstraint('event_id', name=op.f('uq_stripe_events_event_id'))
    )
    op.create_index('ix_stripe_events_waiting', 'stripe_events', ['next_at'], unique=False, postgresql_where=sa.text("status IN ('new', 'parked')"))
    op.create_table('users',
    sa.Column('external_id', sa.String(length=255), nullable=True),
    sa.Column('email', sa.String(length=254), nullable=False),
    sa.Column('name', sa.String(length=80), nullable=False),
    sa.Column('password_hash', sa.String(length=255), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('disabled_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.CheckConstraint("position('@' in email) > 1", name=op.f('ck_users_email_has_at')),
    sa.CheckConstraint('email = lower(email)', name=op.f('ck_users_email_lower')),
    sa.CheckConstraint('length(btrim(name)) > 0', name=op.f('ck_users_name_not_blank')),
    sa.CheckConstraint('password_hash IS NOT NULL OR external_id IS NOT NULL', name=op.f('ck_users_can_sign_in')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_users')),
    sa.UniqueConstraint('email', name=op.f('uq_users_email')),
    sa.UniqueConstraint('external_id', name=op.f('uq_users_external_id'))
    )
    op.create_table('images',
    sa.Column('public_id', sa.String(length=24), nullable=False),
    sa.Column('owner_id', sa.BigInteger(), nullable=False),
    sa.Column('content_type', sa.String(length=20), nullable=False),
    sa.Column('width', sa.BigInteger(), nullable=False),
    sa.Column('height', sa.BigInteger(), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.CheckConstraint('octet_length(content) BETWEEN 1 AND 2000000', name=op.f('ck_images_size')),
    sa.CheckConstraint('width > 0 AND height > 0', name=op.f('ck_images_has_pixels')),
    sa.ForeignKeyConstraint(['owner_id'], ['users.id'], name=op.f('fk_images_owner_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_images')),
    sa.UniqueConstraint('public_id', name=op.f('uq_images_public_id'))
    )
    op.create_index(op.f('ix_images_owner_id'), 'images', ['owner_id'], unique=False)
    op.create_table('sessions',
    sa.Column('token_hash', sa.LargeBinary(), nullable=False),
    sa.Column('user_id', sa.BigInteger(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('last_seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('authenticated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('address', sa.String(length=45), nullable=False),
    sa.Column('user_agent', sa.String(length=200), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.CheckConstraint('expires_at > created_at', name=op.f('ck_sessions_expires_later')),
    sa.CheckConstraint('octet_length(token_hash) = 32', name=op.f('ck_sessions_token_hash_is_sha256')),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_sessions_user_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sessions')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_sessions_token_hash'))
    )
    op.create_index(op.f('ix_sessions_user_id'), 'sessions', ['user_id'], unique=False)
    op.create_table('user_roles',
    sa.Column('user_id', sa.BigInteger(), nullable=False),
    sa.Column('role', sa.String(length=20), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.CheckConstraint("role IN ('student', 'instructor', 'admin')", name=op.f('ck_user_roles_role_known')),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_user_roles_user_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_user_roles')),
    sa.UniqueConstraint('user_id', 'role', name=op.f('uq_user_roles_user_id_role'))
    )
    op.create_table('courses',
    sa.Column('public_id', sa.String(length=24), nullable=False),
    sa.Column('slug', sa.String(length=80), nullable=False),
    sa.Column('title', sa.String(length=120), nullable=False),
    sa.Column('summary', sa.String(length=200), nullable=False),
    sa.Column('description', sa.Text(), nullable=False),
    sa.Column('subject', sa.String(length=20), nullable=False),
    sa.Column('status', sa.String(length=20), nullable=False),
    sa.Column('price_minor', sa.BigInteger(), nullable=False),
    sa.Column('price_currency', sa.String(length=3), nullable=False),
    sa.Column('revision', sa.BigInteger(), nullable=False),
    sa.Column('instructor_id', sa.BigInteger(), nullable=False),
    sa.Column('cover_id', sa.BigInteger(), nullable=True),
    sa.Column('search', postgresql.TSVECTOR(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('published_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.CheckConstraint("price_currency ~ '^[a-z]{3}$'", name=op.f('ck_courses_currency_lower')),
    sa.CheckConstraint("slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'", name=op.f('ck_courses_slug_plain')),
    sa.CheckConstraint("status = 'draft' OR deleted_at IS NULL", name=op.f('ck_courses_deleted_not_on_sale')),
    sa.CheckConstraint("status = 'draft' OR published_at IS NOT NULL", name=op.f('ck_courses_published_stamped')),
    sa.CheckConstraint("status IN ('draft', 'published')", name=op.f('ck_courses_status_known')),
    sa.CheckConstraint("subject IN ('programming', 'mathematics', 'ai', 'design', 'business', 'languages', 'music', 'craft', 'other')", name=op.f('ck_courses_subject_known')),
    sa.CheckConstraint('length(btrim(title)) > 0', name=op.f('ck_courses_title_not_blank')),
    sa.CheckConstraint('price_minor BETWEEN 0 AND 99999999999', name=op.f('ck_courses_price_in_range')),
    sa.ForeignKeyConstraint(['cover_id'], ['images.id'], name=op.f('fk_courses_cover_id'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['instructor_id'], ['users.id'], name=op.f('fk_courses_instructor_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_courses')),
    sa.UniqueConstraint('public_id', name=op.f('uq_courses_public_id')),
    sa.UniqueConstraint('slug', name=op.f('uq_courses_slug'))
    )
    op.create_index(op.f('ix_courses_instructor_id'), 'courses', ['instructor_id'], unique=False)
    op.create_index('ix_courses_newest', 'courses', ['published_at', 'id'], unique=False, postgresql_where=sa.text("status = 'published'"))
    op.create_index('ix_courses_search', 'courses', ['search'], unique=False, postgresql_using='gin')
    op.create_table('chapters',
    sa.Column('course_id', sa.BigInteger(), nullable=False),
    sa.Column('title', sa.String(length=120), nullable=False),
    sa.Column('position', sa.BigInteger(), nullable=True),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.CheckConstraint('(deleted_at IS NULL) = (position IS NOT NULL)', name=op.f('ck_chapters_placed_unless_deleted')),
    sa.CheckConstraint('length(btrim(title)) > 0', name=op.f('ck_chapters_title_not_blank')),
    sa.CheckConstraint('position >= 0', name=op.f('ck_chapters_position_counts')),
    sa.ForeignKeyConstraint(['course_id'], ['courses.id'], name=op.f('fk_chapters_course_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_chapters')),
    sa.UniqueConstraint('course_id', 'position', deferrable=True, initially='DEFERRED', name=op.f('uq_chapters_course_id_position'))
    )
    op.create_index(op.f('ix_chapters_course_id'), 'chapters', ['course_id'], unique=False)
    op.create_table('gateway_products',
    sa.Column('course_id', sa.BigInteger(), nullable=False),
    sa.Column('gateway', sa.String(length=10), nullable=False),
    sa.Column('product_id', sa.String(length=255), nullable=False),
    sa.Column('name', sa.String(length=250), nullable=False),
    sa.Column('description', sa.Text(), nullable=False),
    sa.Column('price_id', sa.String(length=255), nullable=True),
    sa.Column('price_minor', sa.BigInteger(), nullable=True),
    sa.Column('price_currency', sa.String(length=3), nullable=True),
    sa.Column('synced_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.CheckConstraint("gateway IN ('stripe', 'sandbox')", name=op.f('ck_gateway_products_gateway_known')),
    sa.CheckConstraint('num_nulls(price_id, price_minor, price_currency) IN (0, 3)', name=op.f('ck_gateway_products_price')),
    sa.ForeignKeyConstraint(['course_id'], ['courses.id'], name=op.f('fk_gateway_products_course_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_gateway_products')),
    sa.UniqueConstraint('course_id', 'gateway', name=op.f('uq_gateway_products_course_id_gateway')),
    sa.UniqueConstraint('price_id', name=op.f('uq_gateway_products_price_id')),
    sa.UniqueConstraint('product_id', name=op.f('uq_gateway_products_product_id'))
    )
    op.create_table('orders',
    sa.Column('public_id', sa.String(length=24), nullable=False),
    sa.Column('buyer_id', sa.BigInteger(), nullable=False),
    sa.Column('course_id', sa.BigInteger(), nullable=False),
    sa.Column('price_minor', sa.BigInteger(), nullable=False),
    sa.Column('price_currency', sa.String(length=3), nullable=False),
    sa.Column('fee_bps', sa.BigInteger(), nullable=False),
    sa.Column('gateway', sa.String(length=10), nullable=False),
    sa.Column('status', sa.String(length=20), nullable=False),
    sa.Column('review_reason', sa.String(length=200), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('paid_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.CheckConstraint("(status = 'paid') <= (paid_at IS NOT NULL)", name=op.f('ck_orders_paid_stamped')),
    sa.CheckConstraint("gateway IN ('stripe', 'sandbox')", name=op.f('ck_orders_gateway_known')),
    sa.CheckConstraint("price_currency ~ '^[a-z]{3}$'", name=op.f('ck_orders_currency_lower')),
    sa.CheckConstraint("status IN ('open', 'pending', 'paid', 'failed', 'expired', 'needs_review')", name=op.f('ck_orders_status_known')),
    sa.CheckConstraint('fee_bps BETWEEN 0 AND 10000', name=op.f('ck_orders_fee_is_a_share')),
    sa.CheckConstraint('price_minor > 0', name=op.f('ck_orders_price_positive')),
    sa.ForeignKeyConstraint(['buyer_id'], ['users.id'], name=op.f('fk_orders_buyer_id')),
    sa.ForeignKeyConstraint(['course_id'], ['courses.id'], name=op.f('fk_orders_course_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_orders')),
    sa.UniqueConstraint('public_id', name=op.f('uq_orders_public_id'))
    )
    op.create_index('ix_orders_buyer_id', 'orders', ['buyer_id'], unique=False)
    op.create_index('ix_orders_course_id', 'orders', ['course_id'], unique=False)
    op.create_index('uq_orders_one_open', 'orders', ['buyer_id', 'course_id'], unique=True, postgresql_where=sa.text("status IN ('open', 'pending')"))
    op.create_table('checkout_attempts',
    sa.Column('order_id', sa.BigInteger(), nullable=False),
    sa.Column('operation_key', sa.String(length=80), nullable=False),
    sa.Column('request', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('session_id', sa.String(length=255), nullable=True),
    sa.Column('url', sa.Text(), nullable=True),
    sa.Column('status', sa.String(length=20), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.CheckConstraint("status IN ('open', 'awaiting', 'expired', 'failed')", name=op.f('ck_checkout_attempts_status_known')),
    sa.ForeignKeyConstraint(['order_id'], ['orders.id'], name=op.f('fk_checkout_attempts_order_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_checkout_attempts')),
    sa.UniqueConstraint('operation_key', name=op.f('uq_checkout_attempts_operation_key')),
    sa.UniqueConstraint('session_id', name=op.f('uq_checkout_attempts_session_id'))
    )
    op.create_index('ix_checkout_attempts_order_id', 'checkout_attempts', ['order_id'], unique=False)
    op.create_table('lessons',
    sa.Column('public_id', sa.String(length=24), nullable=False),
    sa.Column('chapter_id', sa.BigInteger(), nullable=False),
    sa.Column('title', sa.String(length=120), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('text_html', sa.Text(), nullable=False),
    sa.Column('video_id', sa.String(length=11), nullable=True),
    sa.Column('video_start', sa.BigInteger(), nullable=False),
    sa.Column('duration', sa.BigInteger(), nullable=False),
    sa.Column('status', sa.String(length=20), nullable=False),
    sa.Column('is_preview', sa.Boolean(), nullable=False),
    sa.Column('position', sa.BigInteger(), nullable=True),
    sa.Column('revision', sa.BigInteger(), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.CheckConstraint("status IN ('draft', 'live')", name=op.f('ck_lessons_status_known')),
    sa.CheckConstraint("video_id ~ '^[A-Za-z0-9_-]{11}$'", name=op.f('ck_lessons_video_id_form')),
    sa.CheckConstraint('(deleted_at IS NULL) = (position IS NOT NULL)', name=op.f('ck_lessons_placed_unless_deleted')),
    sa.CheckConstraint('duration BETWEEN 0 AND 360000', name=op.f('ck_lessons_duration_in_range')),
    sa.CheckConstraint('length(btrim(title)) > 0', name=op.f('ck_lessons_title_not_blank')),
    sa.CheckConstraint('position >= 0', name=op.f('ck_lessons_position_counts')),
    sa.CheckConstraint('video_start BETWEEN 0 AND 360000', name=op.f('ck_lessons_video_start_in_range')),
    sa.ForeignKeyConstraint(['chapter_id'], ['chapters.id'], name=op.f('fk_lessons_chapter_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_lessons')),
    sa.UniqueConstraint('chapter_id', 'position', deferrable=True, initially='DEFERRED', name=op.f('uq_lessons_chapter_id_position')),
    sa.UniqueConstraint('public_id', name=op.f('uq_lessons_public_id'))
    )
    op.create_index(op.f('ix_lessons_chapter_id'), 'lessons', ['chapter_id'], unique=False)
    op.create_table('payments',
    sa.Column('order_id', sa.BigInteger(), nullable=False),
    sa.Column('session_id', sa.String(length=255), nullable=False),
    sa.Column('payment_intent_id', sa.String(length=255), nullable=True),
    sa.Column('amount_minor', sa.BigInteger(), nullable=False),
    sa.Column('amount_currency', sa.String(length=3), nullable=False),
    sa.Column('mismatch', sa.String(length=200), nullable=True),
    sa.Column('paid_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.CheckConstraint("amount_currency ~ '^[a-z]{3}$'", name=op.f('ck_payments_currency_lower')),
    sa.CheckConstraint('amount_minor >= 0', name=op.f('ck_payments_amount_not_negative')),
    sa.ForeignKeyConstraint(['order_id'], ['orders.id'], name=op.f('fk_payments_order_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_payments')),
    sa.UniqueConstraint('payment_intent_id', name=op.f('uq_payments_payment_intent_id')),
    sa.UniqueConstraint('session_id', name=op.f('uq_payments_session_id'))
    )
    op.create_index('ix_payments_order_id', 'payments', ['order_id'], unique=False)
    op.create_table('enrolments',
    sa.Column('student_id', sa.BigInteger(), nullable=False),
    sa.Column('course_id', sa.BigInteger(), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('source', sa.String(length=20), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('last_lesson_id', sa.BigInteger(), nullable=True),
    sa.Column('last_seen_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.CheckConstraint("source IN ('free', 'purchase')", name=op.f('ck_enrolments_source_known')),
    sa.ForeignKeyConstraint(['course_id'], ['courses.id'], name=op.f('fk_enrolments_course_id')),
    sa.ForeignKeyConstraint(['last_lesson_id'], ['lessons.id'], name=op.f('fk_enrolments_last_lesson_id'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['student_id'], ['users.id'], name=op.f('fk_enrolments_student_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_enrolments')),
    sa.UniqueConstraint('student_id', 'course_id', name=op.f('uq_enrolments_student_id_course_id'))
    )
    op.create_index('ix_enrolments_course_id', 'enrolments', ['course_id'], unique=False)
    op.create_table('lesson_progress',
    sa.Column('student_id', sa.BigInteger(), nullable=False),
    sa.Column('lesson_id', sa.BigInteger(), nullable=False),
    sa.Column('position', sa.BigInteger(), nullable=False),
    sa.Column('watched', postgresql.INT4MULTIRANGE(), server_default='{}', nullable=False),
    sa.Column('completed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.CheckConstraint('position BETWEEN 0 AND 360000', name=op.f('ck_lesson_progress_position_in_range')),
    sa.ForeignKeyConstraint(['lesson_id'], ['lessons.id'], name=op.f('fk_lesson_progress_lesson_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['student_id'], ['users.id'], name=op.f('fk_lesson_progress_student_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_lesson_progress')),
    sa.UniqueConstraint('student_id', 'lesson_id', name=op.f('uq_lesson_progress_student_id_lesson_id'))
    )
    op.create_index('ix_lesson_progress_lesson_id', 'lesson_progress', ['lesson_id'], unique=False)


def downgrade() -> None:
    op.drop_index('ix_lesson_progress_lesson_id', table_name='lesson_progress')
    op.drop_table('lesson_progress')
    op.drop_index('ix_enrolments_course_id', table_name='enrolments')
    op.drop_table('enrolments')
    op.drop_index('ix_payments_order_id', table_name='payments')
    op.drop_table('payments')
    op.drop_index(op.f('ix_lessons_chapter_id'), table_name='lessons')
    op.drop_table('lessons')
    op.drop_index('ix_checkout_attempts_order_id', table_name='checkout_attempts')
    op.drop_table('checkout_attempts')
    op.drop_index('uq_orders_one_open', table_name='orders', postgresql_where=sa.text("status IN ('open', 'pending')"))
    op.drop_index('ix_orders_course_id', table_name='orders')
    op.drop_index('ix_orders_buyer_id', table_name='orders')
    op.drop_table('orders')
    op.drop_table('gateway_products')
    op.drop_index(op.f('ix_chapters_course_id'), table_name='chapters')
    op.drop_table('chapters')
    op.drop_index('ix_courses_search', table_name='courses', postgresql_using='gin')
    op.drop_index('ix_courses_newest', table_name='courses', postgresql_where=sa.text("status = 'published'"))
    op.drop_index(op.f('ix_courses_instructor_id'), table_name='courses')
    op.drop_table('courses')
    op.drop_table('user_roles')
    op.drop_index(op.f('ix_sessions_user_id'), table_name='sessions')
    op.drop_table('sessions')
    op.drop_index(op.f('ix_images_owner_id'), table_name='images')
    op.drop_table('images')
    op.drop_table('users')
    op.drop_index('ix_stripe_events_waiting', table_name='stripe_events', postgresql_where=sa.text("status IN ('new', 'parked')"))
    op.drop_table('stripe_events')
    op.drop_index('ix_sign_in_attempts_recent', table_name='sign_in_attempts')
    op.drop_table('sign_in_attempts')
    op.drop_table('sandbox_sessions')
    op.drop_table('gateway_operations')
